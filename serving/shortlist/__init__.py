"""Shortlists: who is put forward, in which order, and on what grounds."""
