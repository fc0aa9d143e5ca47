"""Positions among peers: industry × size, against quantiles of the training years only.

The reference is fitted once on training rows and travels in the bundle, so that one firm's
position never depends on who else is being scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.expr import Array, Expr, to_json
from tidu import digest

__all__ = ["Groups", "PeerReference", "fit"]

QUANTILES = 100
SMALLEST_GROUP = 30
SIZE_CUTS = (1 / 3, 2 / 3)
EVERYONE = "|"


@dataclass(frozen=True)
class Groups:
    """What decides a row's peers: its industry ("" = unknown) and its size (NaN = unknown)."""

    industry: Array
    size: Array


@dataclass(frozen=True)
class PeerReference:
    """Quantiles per formula and group; a group is ``industry|size class``, parts may be empty."""

    size_edges: tuple[float, ...]
    quantiles: Mapping[str, Mapping[str, tuple[float, ...]]]

    def knows(self, of: Expr) -> bool:
        """Whether positions of this formula can be told."""
        return key(of) in self.quantiles

    def placed(self, groups: Groups) -> Placement:
        """Sort rows by group once; positions of all formulas reuse it."""
        return Placement(self, _labels(groups, self.size_edges))

    def as_json(self) -> dict[str, object]:
        tables = {k: {g: list(q) for g, q in v.items()} for k, v in self.quantiles.items()}
        return {"size_edges": list(self.size_edges), "quantiles": tables}

    @classmethod
    def from_json(
        cls, data: Mapping[str, Mapping[str, Mapping[str, list[float]]]]
    ) -> PeerReference:
        tables = {k: {g: tuple(q) for g, q in v.items()} for k, v in data["quantiles"].items()}
        return cls(tuple(data["size_edges"]), tables)  # type: ignore[arg-type]


class Placement:
    """Rows of one view, put into their groups of a reference."""

    def __init__(self, reference: PeerReference, labels: Array) -> None:
        self.reference = reference
        names, codes = np.unique(labels, return_inverse=True)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(names)))
        self._rows = {
            str(name): order[end - count : end]
            for name, end, count in zip(names, ends, np.diff(ends, prepend=0), strict=True)
        }

    def position(self, of: Expr, values: Array) -> Array:
        """Mid-rank position 0–100 of each value among its group's quantiles; NaN stays NaN."""
        tables = self.reference.quantiles.get(key(of), {})
        result = np.full(len(values), np.nan)
        for name, rows in self._rows.items():
            table = _table(tables, name)
            if table is None:
                continue
            quantiles, own = np.asarray(table), values[rows]
            below = np.searchsorted(quantiles, own, side="left")
            upto = np.searchsorted(quantiles, own, side="right")
            place = (below + upto) * (50.0 / len(quantiles))
            result[rows] = np.where(np.isnan(own), np.nan, place)
        return result


def key(of: Expr) -> str:
    """The name of a formula in a reference: the first digits of its digest."""
    return digest.of_json(to_json(of))[:16]


def fit(formulas: Sequence[Expr], values: Sequence[Array], groups: Groups) -> PeerReference:
    """Fit quantiles on training rows.

    ``values`` holds one array a formula over the same rows as ``groups``. A group needs at least
    30 known values; smaller ones fall back to their industry, their size class, then everyone.
    """
    known = groups.size[np.isfinite(groups.size)]
    edges = tuple(float(q) for q in np.quantile(known, SIZE_CUTS)) if len(known) else ()
    names, codes = np.unique(_labels(groups, edges), return_inverse=True)
    own = [str(name) for name in names]
    tables = {}
    for formula, column in zip(formulas, values, strict=True):
        tables[key(formula)] = _quantiles(column, own, codes)
    return PeerReference(edges, tables)


def _quantiles(values: Array, names: list[str], codes: Array) -> dict[str, tuple[float, ...]]:
    """Quantiles of each group large enough, ``codes`` giving each row's own group in ``names``."""
    known = np.isfinite(values)
    values, codes = values[known], codes[known]
    levels = np.arange(QUANTILES + 1) / QUANTILES
    counts = np.bincount(codes, minlength=len(names))
    tables = {}
    for group in dict.fromkeys(wide for name in names for wide in _wider(name)):
        inside = np.array([_belongs(name, group) for name in names])
        size = counts[inside].sum()
        if size >= SMALLEST_GROUP or (group == EVERYONE and size):
            quantiles = np.quantile(values[inside[codes]], levels)
            tables[group] = tuple(float(q) for q in quantiles)
    return tables


def _belongs(name: str, group: str) -> bool:
    """Whether the rows of a group ``name`` are part of a wider one; an empty part means any."""
    parts = zip(name.split("|"), group.split("|"), strict=True)
    return all(not wanted or wanted == own for own, wanted in parts)


def _wider(name: str) -> tuple[str, ...]:
    industry, size = name.split("|")
    return (name, f"{industry}|", f"|{size}", EVERYONE)


def _table(tables: Mapping[str, tuple[float, ...]], name: str) -> tuple[float, ...] | None:
    for group in _wider(name):
        if group in tables:
            return tables[group]
    return None


def _labels(groups: Groups, edges: tuple[float, ...]) -> Array:
    if not edges:
        size = np.full(len(groups.size), "", dtype=object)
    else:
        number = np.searchsorted(np.asarray(edges), groups.size, side="right")
        names = np.array([str(i) for i in range(len(edges) + 1)] + [""], dtype=object)
        size = names[np.where(np.isnan(groups.size), len(edges) + 1, number)]
    industry = np.asarray([str(i).replace("|", "/") for i in groups.industry], dtype=object)
    return np.asarray(industry + "|" + size, dtype=str)
