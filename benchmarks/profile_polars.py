"""The profile of every firm-year as one lazy Polars plan: the rival of `benchmarks/profile.py`.

The same formulas, translated node by node. The frame is sorted by firm and year, so a calendar lag
is a shift by rows under a guard (the fastest of the forms tried; self-joins and gathers are slower).
Formulas that several features share are columns of their own, computed once and in parallel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import pandas as pd
import polars as pl

from features.expr import Expr, to_json
from features.peers import PeerReference, key
from features.profile import Profile
from features.schema import register

__all__ = ["frames", "plan"]

Frames = tuple[pl.DataFrame, pl.DataFrame]
LONGEST = 3
FEWEST = 2


def frames(annual: pd.DataFrame, firms: pd.DataFrame) -> Frames:
    """The native form of Polars: nulls for what is unknown."""
    return pl.from_pandas(annual), pl.from_pandas(firms)


MODE = {"lag": "shift", "peer": "search", "stage": True}


def plan(data: Frames, profile: Profile) -> pl.LazyFrame:
    annual, firms = (frame.lazy() for frame in data)
    industry = firms.select("firm_id", pl.col("industry_gb4754").str.slice(0, 2).alias("industry"))
    frame = annual.join(industry, on="firm_id", how="left", maintain_order="left")
    frame = frame.with_columns(*_guards(), *_codes(profile), *_group(profile.reference))
    frame = frame.with_columns(*(_comparable(k) for k in range(1, LONGEST + 1)))
    t = _Translation(profile)
    for level in t.levels:
        frame = frame.with_columns(*level)
    if MODE["peer"] == "search":
        return frame.select(pl.col("firm_id"), pl.col("year"), *t.features)
    # P1
    parts = []
    peers = t.peers
    slim = frame.select(
        "group",
        pl.int_range(pl.len()).alias("row"),
        *[e.alias(f"in{i}") for i, (f, e) in enumerate(peers.items())],
    )
    ...
    return frame


def _guards():
    for k in range(1, LONGEST + 1):
        for j in range(1, k + 1):
            yield (
                (pl.col("firm_id") == pl.col("firm_id").shift(j))
                & (pl.col("year") - pl.col("year").shift(j) == k)
            ).alias(f"guard{k}{j}")
        if MODE["lag"] == "gather":
            row = pl.int_range(pl.len(), dtype=pl.UInt32)
            ch = pl
            for j in range(1, k + 1):
                ch = ch.when(
                    (pl.col("firm_id") == pl.col("firm_id").shift(j))
                    & (pl.col("year") - pl.col("year").shift(j) == k)
                ).then(row - j)
            yield ch.otherwise(None).alias(f"idx{k}")


def _codes(profile):
    for name in sorted(frozenset().union(*(s.expr.sources for s in profile.specs))):
        spec = register().column("annual", name)
        if spec.dtype == "code":
            yield pl.col(name).replace_strict(
                list(spec.codes),
                [float(i) for i in range(len(spec.codes))],
                default=None,
                return_dtype=pl.Float64,
            )


def _industries(reference):
    return sorted(
        {label.split("|")[0] for table in reference.quantiles.values() for label in table}
    )


def _group(reference: PeerReference):
    names = _industries(reference)
    size = pl.coalesce("revenue", "total_assets")
    cls = sum(
        ((size >= e).cast(pl.UInt32) for e in reference.size_edges), pl.lit(0, dtype=pl.UInt32)
    ).fill_null(3)
    ind = pl.col("industry").replace_strict(
        names, list(range(len(names))), default=0, return_dtype=pl.UInt32
    )
    yield (ind * 4 + cls).alias("group")


def tables(reference, of):
    t = reference.quantiles[key(of)]
    out = []
    for i in _industries(reference):
        for c in ("0", "1", "2", ""):
            out.append(next(t[g] for g in (f"{i}|{c}", f"{i}|", f"|{c}", "|") if g in t))
    return np.array(out)


def _comparable(k):
    e = pl
    for j in range(k, 0, -1):
        same = reduce(
            lambda a, b: a & b,
            (pl.col(c).eq_missing(pl.col(c).shift(j)) for c in ("reporting_basis", "currency")),
        )
        e = e.when(f"guard{k}{j}").then(same)
    return e.otherwise(False).alias(f"same{k}")


def lag(x, k):
    if MODE["lag"] == "gather":
        return x.gather(pl.col(f"idx{k}"))
    e = pl
    for j in range(k, 0, -1):
        e = e.when(f"guard{k}{j}").then(x.shift(j))
    return e.otherwise(None)


class _Translation:
    def __init__(self, profile):
        self.profile = profile
        uses = Counter()
        self.depth = {}
        seen = set()

        def walk(e):
            uses[e] += 1
            if e in seen:
                return
            seen.add(e)
            for a in e.args:
                walk(a)

        for s in profile.specs:
            walk(s.expr)
        self.made = {}
        self.levels = []
        self.level_of = {}
        self.names = {}
        shared = [
            e
            for e in seen
            if e.op not in ("col", "const", "comparable")
            and (uses[e] >= FEWEST or (MODE["lag"] == "shift" and False))
            and MODE["stage"]
        ]
        # args of lag are read twice or more by shift: make them columns
        if MODE["stage"]:
            shared += [e.args[0] for e in seen if e.op == "lag" and e.args[0].op != "col"]
            shared += [e.args[0] for e in seen if e.op == "peer" and e.args[0].op != "col"]
        self.shared = set(shared)

        def level(e):
            if e in self.level_of:
                return self.level_of[e]
            below = max((level(a) + (a in self.shared) for a in e.args), default=0)
            self.level_of[e] = below
            return below

        n = max((level(e) for e in self.shared), default=-1) + 1
        by = [[] for _ in range(n)]
        for i, e in enumerate(sorted(self.shared, key=lambda e: level(e))):
            by[level(e)].append((e, f"x{i}"))
        for row in by:
            cols = [self.of(e, top=True).alias(nm) for e, nm in row]
            for e, nm in row:
                self.names[e] = nm
            self.made.clear()
            self.levels.append(cols)
        self.features = [self.of(s.expr).alias(s.name) for s in profile.specs]

    def of(self, e, top=False):
        if e in self.names:
            return pl.col(self.names[e])
        if e not in self.made:
            self.made[e] = self._of(e)
        return self.made[e]

    def _of(self, e):
        if e.op == "col":
            return pl.col(e.name)
        if e.op == "const":
            return pl.lit(e.number)
        if e.op == "comparable":
            return pl.when(f"same{int(e.number)}").then(1.0)
        if e.op == "lag":
            return lag(self.of(e.args[0]), int(e.number))
        if e.op in ("growth", "change", "cagr"):
            now, then = self.of(e.args[0]), self.of(e.args[1])
            k = int(e.args[2].number)
            same = pl.col(f"same{k}")
            if e.op == "growth":
                return pl.when(same & (then > 0)).then(100.0 * (now / then - 1.0))
            if e.op == "change":
                return pl.when(same).then(now - then)
            return pl.when(same & (then > 0) & (now > 0)).then(
                100.0 * ((now / then).pow(1.0 / e.number) - 1.0)
            )
        a = [self.of(x) for x in e.args]
        if e.op == "add":
            return a[0] + a[1]
        if e.op == "sub":
            return a[0] - a[1]
        if e.op == "mul":
            return a[0] * a[1]
        if e.op == "ratio":
            return pl.when(a[1] > 0).then(100.0 * a[0] / a[1])
        if e.op == "log":
            return a[0].sign() * a[0].abs().log1p()
        if e.op == "first":
            return pl.coalesce(a)
        if e.op == "highest":
            return pl.max_horizontal(a)
        if e.op in ("mean", "spread"):
            count = sum(
                (x.is_not_null().cast(pl.Float64) for x in a[1:]),
                a[0].is_not_null().cast(pl.Float64),
            )
            filled = [x.fill_null(0.0) for x in a]
            m = sum(filled[1:], filled[0]) / count
            if e.op == "mean":
                return pl.when(count >= 2).then(m)
            sq = [((x - m).pow(2)).fill_null(0.0) for x in a]
            return pl.when(count >= 2).then((sum(sq[1:], sq[0]) / (count - 1)).sqrt())
        if e.op == "streak":
            going, total = pl.lit(True), pl.lit(0.0)
            for x in a:
                going = going & (x > 0).fill_null(False)
                total = total + going.cast(pl.Float64)
            return pl.when(a[0].is_not_null()).then(total)
        if e.op == "peer":
            return self.peer(e.args[0], a[0])
        raise NotImplementedError(e.op)

    def peer(self, of, value):
        t = tables(self.profile.reference, of)
        n = t.shape[1]
        pad = np.full((len(t), 128), np.inf)
        pad[:, :n] = t
        flat = pl.lit(pl.Series(pad.ravel()))
        base = pl.col("group") * 128
        pos = base
        for step in (64, 32, 16, 8, 4, 2, 1):
            pos = pos + (flat.gather(pos + (step - 1)) < value).cast(pl.UInt32) * step
        # run end where equal
        ends = np.stack([np.searchsorted(row[:n], row, side="right") for row in pad]).astype(float)
        ends = pl.lit(pl.Series(ends.ravel()))
        below = (pos - base).cast(pl.Float64)
        upto = pl.when(flat.gather(pos) == value).then(ends.gather(pos)).otherwise(below)
        return pl.when(value.is_not_null()).then((below + upto) * (50.0 / n))
