"""Windows of labels: their days, what is covered over them, and whom something happened to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from features.expr import Array
from features.panel import Panel
from tidu.clock import add_months

__all__ = ["among", "covered", "happened", "window"]


def window(months: int, as_of: date) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first day before the window and its last: what falls in (start, end] counts."""
    return pd.Timestamp(as_of), pd.Timestamp(add_months(as_of, months))


def covered(
    evidence: Panel, kinds: Iterable[str], start: pd.Timestamp, end: pd.Timestamp
) -> list[str]:
    """Kinds whose coverage holds the whole window (start, end]."""
    wanted, day_after = set(kinds), (start + pd.Timedelta(days=1)).date()
    return [
        c.kind
        for c in evidence.coverage
        if c.kind in wanted and c.start <= day_after and c.end >= end.date()
    ]


def happened(chosen: pd.Series, firm_ids: Array) -> Array:
    """1 for firms among the chosen, 0 for the rest."""
    return among(firm_ids, chosen).astype("float64")


def among(firm_ids: Array, chosen: pd.Series) -> Array:
    """Which firms are among the chosen: bool, by hash of plain strings, not by sorting."""
    places = pd.Index(chosen.to_numpy(dtype=object), dtype=object).unique()
    return np.asarray(places.get_indexer(pd.Index(firm_ids, dtype=object)) >= 0)
