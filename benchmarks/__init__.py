"""Figures that the design promises, measured: each module prints one row."""
