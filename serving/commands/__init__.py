"""The commands of ``tidu``, one module a subject."""
