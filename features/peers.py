"""Positions among peers: industry × size, against quantiles of the training years only.

The reference is fitted once on training rows and travels in the bundle, so that one firm's
position never depends on who else is being scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

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
        """Number the rows' groups once; positions of all formulas reuse it."""
        names, codes = _named(groups, self.size_edges)
        return Placement(self, names, codes, {})

    def as_json(self) -> dict[str, object]:
        tables = {k: {g: list(q) for g, q in v.items()} for k, v in self.quantiles.items()}
        return {"size_edges": list(self.size_edges), "quantiles": tables}

    @classmethod
    def from_json(
        cls, data: Mapping[str, Mapping[str, Mapping[str, list[float]]]]
    ) -> PeerReference:
        tables = {k: {g: tuple(q) for g, q in v.items()} for k, v in data["quantiles"].items()}
        return cls(tuple(data["size_edges"]), tables)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Placement:
    """Rows of one view, put into their groups of a reference."""

    reference: PeerReference
    names: list[str]
    codes: Array
    tables: dict[Expr, _Tables | None]

    def chosen(self, codes: Array) -> Placement:
        """The same for other rows, each given by its group's number."""
        return replace(self, codes=codes)

    def position(self, of: Expr, values: Array) -> Array:
        """Mid-rank position 0–100 of each value among its group's quantiles; NaN stays NaN."""
        tables = self.of(of)
        return np.full(len(values), np.nan) if tables is None else tables.place(self.codes, values)

    def of(self, formula: Expr) -> _Tables | None:
        """The quantiles of all groups, made when first asked for."""
        if formula not in self.tables:
            known = self.reference.quantiles.get(key(formula), {})
            self.tables[formula] = _stacked([_table(known, name) for name in self.names])
        return self.tables[formula]


@dataclass(frozen=True)
class _Tables:
    """Quantiles of all groups end to end, each filled up with +inf to ``width``, a power of two.

    ``ties`` holds how many quantiles equal one, ``worth`` what each below and each not above a
    value counts on the scale of 100: NaN where a group has no quantiles.
    """

    quantiles: Array
    ties: Array
    worth: Array
    width: int

    def place(self, codes: Array, values: Array) -> Array:
        """Search all rows at once, each in its own group's part, by halving."""
        first = codes * self.width
        at = first.copy()
        step = self.width // 2
        while step:
            above = self.quantiles[step - 1 :].take(at) < values
            at += np.multiply(above, step, dtype=np.int16)  # small numbers multiply faster
            step //= 2
        counted = 2 * (at - first)
        # Few values are a quantile themselves; for those, "below" and "not above" differ.
        equal = np.flatnonzero(self.quantiles.take(at) == values)
        counted[equal] += self.ties[at[equal]]
        places = counted * self.worth.take(codes)
        np.putmask(places, np.isnan(values), np.nan)
        return np.asarray(places)


def _stacked(tables: list[tuple[float, ...] | None]) -> _Tables | None:
    longest = max((len(table) for table in tables if table), default=0)
    if not longest:
        return None
    width = 1 << longest.bit_length()
    quantiles = np.full((len(tables), width), np.inf)
    ties = np.zeros((len(tables), width), dtype=np.intp)
    worth = np.full(len(tables), np.nan)
    for row, table in enumerate(tables):
        if table:
            quantiles[row, : len(table)] = table
            below, upto = (
                np.searchsorted(table, quantiles[row], side) for side in ("left", "right")
            )
            ties[row] = upto - below
            worth[row] = 50.0 / len(table)
    return _Tables(quantiles.ravel(), ties.ravel(), worth, width)


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
    own, codes = _named(groups, edges)
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


def _named(groups: Groups, edges: tuple[float, ...]) -> tuple[list[str], Array]:
    """The groups there may be, by name, and each row's own as a number."""
    industry, industries = pd.factorize(groups.industry, sort=True)
    sizes = [str(i) for i in range(len(edges) + 1)] + [""] if edges else [""]
    size = np.searchsorted(np.asarray(edges), groups.size, side="right") if edges else 0
    size = np.where(np.isnan(groups.size), len(sizes) - 1, size)
    names = [f"{str(i).replace('|', '/')}|{s}" for i in industries for s in sizes]
    return names, industry * len(sizes) + size
