"""The profile of every firm-year as one lazy Polars plan: the rival of `benchmarks/profile.py`.

The same formulas, node by node. The fastest form of each step that was found:

- a frame is sorted by firm and year, so a calendar lag is a shift by rows under a guard on firm and
  year (a gather by row number is as fast, a self-join slower);
- formulas that several features share are columns, level by level, which Polars computes in
  parallel (left to common subexpression elimination, half as long again);
- quantiles of the peers follow as further rows of their group, and each group searches its own
  (one filtered branch a group takes minutes; halving by gathers or one table of all groups is
  slower).

The check for overflow is left out, to the favour of Polars: the data has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add, and_

import numpy as np
import pandas as pd
import polars as pl

from features.expr import Expr
from features.peers import QUANTILES, key
from features.profile import Profile
from features.schema import register

__all__ = ["Frames", "frames", "plan"]

Frames = tuple[pl.DataFrame, pl.DataFrame]
LONGEST = 3
SIZES = ("0", "1", "2", "")
FIRM, YEAR, GROUP, REFERENCE = (pl.col(c) for c in ("firm_id", "year", "group", "reference"))


def frames(annual: pd.DataFrame, firms: pd.DataFrame) -> Frames:
    """Accounts and firms in the native form of Polars: null where unknown."""
    return pl.from_pandas(annual), pl.from_pandas(firms)


def plan(data: Frames, profile: Profile) -> pl.LazyFrame:
    """Lay out all features of every firm-year, in the order of the accounts."""
    accounts, firms = data
    industry = pl.col("industry_gb4754").str.slice(0, 2).alias("industry")
    frame = accounts.lazy().join(
        firms.lazy().select(FIRM, industry), on="firm_id", how="left", maintain_order="left"
    )
    frame = frame.with_columns(*_guards(), *_codes(profile), _group(profile))
    frame = frame.with_columns(_comparable(years) for years in range(1, LONGEST + 1))
    translation = _Translation(profile)
    for level in translation.levels:
        frame = frame.with_columns(level)
    named = {formula: f"of{i}" for i, formula in enumerate(translation.among_peers)}
    inputs = frame.select(GROUP, *(translation.of(f).alias(n) for f, n in named.items()))
    both = pl.concat(
        [
            inputs.with_columns(reference=pl.lit(False)),
            _quantiles(profile, named).lazy().with_columns(reference=pl.lit(True)),
        ]
    )
    places = both.select(
        _place(pl.col(named[spec.expr.args[0]])).alias(spec.name)
        for spec in profile.specs
        if spec.expr.op == "peer"
    ).head(len(accounts))
    rest = frame.select(FIRM, YEAR, *translation.features)
    return pl.concat([rest, places], how="horizontal").select(
        "firm_id", "year", *(spec.name for spec in profile.specs)
    )


# Calendar lags


def _guards() -> Iterator[pl.Expr]:
    """``guardKJ``: the row J before is the same firm's, K calendar years earlier."""
    for years in range(1, LONGEST + 1):
        for rows in range(1, years + 1):
            same = (FIRM.shift(rows) == FIRM) & (YEAR - YEAR.shift(rows) == years)
            yield same.alias(f"guard{years}{rows}")


def _among(years: int, choice: Callable[[int], pl.Expr]) -> pl.Expr:
    """``choice`` for the row ``years`` before: gaps may bring that year nearer in rows."""
    return pl.coalesce(
        pl.when(f"guard{years}{rows}").then(choice(rows)) for rows in range(years, 0, -1)
    )


def _earlier(values: pl.Expr, years: int) -> pl.Expr:
    return _among(years, values.shift)


def _comparable(years: int) -> pl.Expr:
    def same(rows: int) -> pl.Expr:
        columns = (pl.col("reporting_basis"), pl.col("currency"))
        return reduce(and_, (c.eq_missing(c.shift(rows)) for c in columns))

    return _among(years, same).fill_null(False).alias(f"same{years}")


def _codes(profile: Profile) -> Iterator[pl.Expr]:
    """Ordered codes as their rank."""
    for name in sorted(frozenset().union(*(spec.expr.sources for spec in profile.specs))):
        column = register().column("annual", name)
        if column.dtype == "code":
            ranks = {code: float(rank) for rank, code in enumerate(column.codes)}
            yield pl.col(name).replace_strict(ranks, default=None, return_dtype=pl.Float64)


# Peers


def _industries(profile: Profile) -> list[str]:
    tables = profile.reference.quantiles.values()
    return sorted({group.split("|")[0] for table in tables for group in table} | {""})


def _group(profile: Profile) -> pl.Expr:
    """The number of a row's group: its industry and its size class."""
    industries = {name: i for i, name in enumerate(_industries(profile))}
    size = pl.coalesce("revenue", "total_assets")
    edges = ((size >= edge).cast(pl.UInt32) for edge in profile.reference.size_edges)
    industry = pl.col("industry").replace_strict(
        industries, default=industries[""], return_dtype=pl.UInt32
    )
    return (industry * len(SIZES) + reduce(add, edges).fill_null(len(SIZES) - 1)).alias("group")


def _quantiles(profile: Profile, named: dict[Expr, str]) -> pl.DataFrame:
    """The fitted quantiles of each formula in each group, wider groups where it has none."""
    names = [(industry, size) for industry in _industries(profile) for size in SIZES]
    columns = {}
    for formula, name in named.items():
        table = profile.reference.quantiles[key(formula)]
        columns[name] = np.concatenate(
            [
                next(table[g] for g in (f"{i}|{s}", f"{i}|", f"|{s}", "|") if g in table)
                for i, s in names
            ]
        )
    each = len(next(iter(columns.values()))) // len(names)
    group = pl.Series("group", np.repeat(np.arange(len(names)), each), dtype=pl.UInt32)
    return pl.DataFrame([group, *(pl.Series(n, v) for n, v in columns.items())])


def _place(values: pl.Expr) -> pl.Expr:
    quantiles = values.filter(REFERENCE)
    below = quantiles.search_sorted(values, side="left")
    upto = quantiles.search_sorted(values, side="right")
    worth = 50.0 / (QUANTILES + 1)
    return pl.when(values.is_not_null()).then(((below + upto) * worth).over(GROUP))


# Formulas


class _Translation:
    """Formulas as Polars expressions; shared ones are columns, made level by level."""

    def __init__(self, profile: Profile) -> None:
        formulas = [spec.expr for spec in profile.specs]
        self.among_peers = [f.args[0] for f in formulas if f.op == "peer"]
        self.columns: dict[Expr, str] = {}
        self.levels: list[list[pl.Expr]] = []
        waiting = _shared(formulas)
        while waiting:
            ready = [f for f in waiting if not any(_within(w, f) for w in waiting if w != f)]
            names = [f"shared{len(self.columns) + i}" for i in range(len(ready))]
            made = [self.of(f).alias(name) for f, name in zip(ready, names, strict=True)]
            self.levels.append(made)
            self.columns.update(zip(ready, names, strict=True))
            waiting = [f for f in waiting if f not in self.columns]
        self.features = [
            self.of(s.expr).alias(s.name) for s in profile.specs if s.expr.op != "peer"
        ]

    def of(self, formula: Expr) -> pl.Expr:
        if formula in self.columns:
            return pl.col(self.columns[formula])
        if formula.op in LEAVES:
            return LEAVES[formula.op](formula)
        if formula.op == "lag":
            return _earlier(self.of(formula.args[0]), int(formula.number))
        if formula.op in ("growth", "cagr", "change"):
            return self._across(formula)
        return OPERATIONS[formula.op](*(self.of(arg) for arg in formula.args))

    def _across(self, formula: Expr) -> pl.Expr:
        now, then = (self.of(arg) for arg in formula.args[:2])
        same = pl.col(f"same{int(formula.args[2].number)}")
        if formula.op == "change":
            return pl.when(same).then(now - then)
        if formula.op == "growth":
            return pl.when(same & (then > 0)).then(100.0 * (now / then - 1.0))
        rate = 100.0 * ((now / then).pow(1.0 / formula.number) - 1.0)
        return pl.when(same & (then > 0) & (now > 0)).then(rate)


def _shared(formulas: Sequence[Expr]) -> list[Expr]:
    """Formulas that more than one other reads, and what a lag reads once a row."""
    uses: dict[Expr, int] = {}

    def walk(formula: Expr, weight: int) -> None:
        first = formula not in uses
        uses[formula] = uses.get(formula, 0) + weight
        if first:
            for arg in formula.args:
                walk(arg, 2 if formula.op in ("lag", "peer") else 1)

    for formula in formulas:
        walk(formula, 1)
    plain = ("col", "const", "comparable", "peer")
    return [f for f, count in uses.items() if count > 1 and f.op not in plain]


def _within(inner: Expr, outer: Expr) -> bool:
    return any(arg == inner or _within(inner, arg) for arg in outer.args)


def _mean_and_count(xs: Sequence[pl.Expr]) -> tuple[pl.Expr, pl.Expr]:
    count = reduce(add, (x.is_not_null().cast(pl.Float64) for x in xs))
    return reduce(add, (x.fill_null(0.0) for x in xs)) / count, count


def _mean(*xs: pl.Expr) -> pl.Expr:
    mean, count = _mean_and_count(xs)
    return pl.when(count >= 2).then(mean)


def _spread(*xs: pl.Expr) -> pl.Expr:
    mean, count = _mean_and_count(xs)
    squares = reduce(add, (((x - mean) * (x - mean)).fill_null(0.0) for x in xs))
    return pl.when(count >= 2).then((squares / (count - 1)).sqrt())


def _streak(*xs: pl.Expr) -> pl.Expr:
    going = [(x > 0).fill_null(False) for x in xs]
    so_far = [reduce(and_, going[: i + 1]) for i in range(len(going))]
    return pl.when(xs[0].is_not_null()).then(reduce(add, (g.cast(pl.Float64) for g in so_far)))


LEAVES: dict[str, Callable[[Expr], pl.Expr]] = {
    "col": lambda formula: pl.col(formula.name),
    "const": lambda formula: pl.lit(formula.number),
    "comparable": lambda formula: pl.when(f"same{int(formula.number)}").then(1.0),
}

OPERATIONS: dict[str, Callable[..., pl.Expr]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "ratio": lambda top, bottom: pl.when(bottom > 0).then(100.0 * top / bottom),
    "log": lambda x: x.sign() * x.abs().log1p(),
    "first": pl.coalesce,
    "highest": pl.max_horizontal,
    "mean": _mean,
    "spread": _spread,
    "streak": _streak,
}
