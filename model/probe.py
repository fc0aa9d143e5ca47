"""The child process in which a bundle proves that it loads and scores as it did at training."""

from __future__ import annotations

import sys
from pathlib import Path

from model.bundle import probe
from tidu.errors import TiduError

__all__ = ["main"]


def main(path: str) -> int:
    """Probe the bundle at ``path``; 0 = as at training, 1 = refused, with the reason on stderr."""
    try:
        probe(Path(path))
    except TiduError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
