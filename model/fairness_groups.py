"""The groups by which lists are compared: district, size, ownership and age of each firm.

Used to compare, never to score. A firm whose group is not known is left out of that dimension and
counted.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from features.expr import Array
from features.panel import Panel
from policy.inputs import size_classes
from policy.loading import standing
from policy.sizes import CLASSES

__all__ = ["DIMENSIONS", "dimensions", "groups_of"]

DIMENSIONS = ("district", "size", "ownership", "age")
DAYS = 365.25


@cache
def dimensions() -> Mapping[str, Mapping[str, Any]]:
    """What each dimension is called, and its bands."""
    text = (resources.files("model") / "fairness.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def groups_of(panel: Panel, firm_ids: Array) -> dict[str, Array]:
    """Return each dimension's group of each firm as text, "" where it is not known.

    Size classes are those of the law that ships, by the accounts of the year before the panel's
    day; where the figures leave more than one class open, the size is not known.
    """
    firms = panel.firms.reindex(firm_ids)
    return {
        "district": firms["district"].fillna("").to_numpy(dtype=object),
        "size": _size(panel)[np.searchsorted(panel.firm_ids, firm_ids)],
        "ownership": firms["ownership"].fillna("").to_numpy(dtype=object),
        "age": _age(panel, firms["founded_on"].to_numpy(dtype="datetime64[D]")),
    }


def _age(panel: Panel, founded: Array) -> Array:
    bounds = [int(b) for b in dimensions()["age"]["bounds"]]
    edges = [0, *bounds]
    names = [f"{low}–{high - 1}" for low, high in zip(edges, bounds, strict=False)]
    names.append(f"≥{bounds[-1]}")
    known = ~np.isnat(founded)
    years = (np.datetime64(panel.as_of) - founded).astype("timedelta64[D]").astype(float) / DAYS
    band = np.digitize(np.where(known, years, 0.0), bounds)
    return np.where(known, np.array(names, dtype=object)[band], "")


def _size(panel: Panel) -> Array:
    low, high = size_classes(standing(), panel, panel.as_of.year - 1)
    names = np.array([*CLASSES, ""], dtype=object)
    # A class is said where the figures leave one alone; without accounts they leave all of them.
    sure = low == high
    return np.asarray(names[np.where(sure, low, len(CLASSES)).astype(int)])
