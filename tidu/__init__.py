"""Kernel of Tidu: errors, digests and dates. Imports nothing else of the project."""

__version__ = "0.1.0"
__all__ = ["__version__"]
