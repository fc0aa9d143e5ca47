"""Content hashes: the names of imports, bundles and snapshots."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["canonical_json", "of_bytes", "of_frame", "of_json", "of_parts"]


def canonical_json(value: object) -> bytes:
    """Serialise to the one byte string that equal values share (sorted keys, no spaces, no NaN)."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()


def of_bytes(data: bytes) -> str:
    """Return the sha256 of ``data`` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def of_json(value: object) -> str:
    """Return the sha256 of the canonical JSON of ``value``."""
    return of_bytes(canonical_json(value))


def of_parts(parts: Mapping[str, str]) -> str:
    """Return one digest for named digests, independent of their order."""
    return of_json(dict(parts))


def of_frame(frame: pd.DataFrame, columns: Iterable[str] | None = None) -> str:
    """Return a digest of the values of ``frame``: names, order of rows, missing as missing."""
    digest = hashlib.sha256()
    for name in sorted(columns if columns is not None else frame.columns):
        digest.update(name.encode() + b"\0")
        column = frame[name]
        if column.dtype.kind in "fiub":
            digest.update(np.ascontiguousarray(column.to_numpy(dtype="float64")).tobytes())
        else:
            missing = column.isna().to_numpy()
            digest.update(missing.tobytes())
            text = "\0".join("" if m else str(v) for v, m in zip(column, missing, strict=True))
            digest.update(text.encode())
    return digest.hexdigest()
