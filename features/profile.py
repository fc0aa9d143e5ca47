"""The growth profile: the one path from a panel to a matrix, for training, publishing and what-if.

``observe`` computes all formulas of a panel except positions among peers; ``Profile.fit`` learns
the peer reference from training observations; ``Profile.matrix`` gives the finished features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from features.catalogue import BUILT_IN
from features.cube import Cube, FirmYears, Window
from features.expr import Array, Expr, Memory, change, col, evaluate, peer
from features.facts import FACTS, facts
from features.panel import Panel
from features.peers import Groups, PeerReference, Placement, fit
from features.schema import FAMILIES, Column
from features.spec import FeatureSpec
from tidu.errors import NotFound, Refused

__all__ = [
    "AmongPeers",
    "FeatureMatrix",
    "Observation",
    "Profile",
    "industry_of",
    "observe",
    "specs_for",
]

SIZE = ("revenue", "total_assets")


@dataclass(frozen=True)
class FeatureMatrix:
    """Profiles of firms at one date: ``values`` is (firms, features), NaN = unknown.

    ``anchor_years`` holds the newest known year of each firm's accounts, ``known_on`` when they
    became known and ``inferred`` whether that date was inferred (推定).
    """

    as_of: date
    firm_ids: Array
    names: tuple[str, ...]
    values: Array
    anchor_years: Array
    known_on: Array
    inferred: Array

    def rows(self, index: Array) -> FeatureMatrix:
        """The same for chosen rows."""
        return replace(
            self,
            firm_ids=self.firm_ids[index],
            values=self.values[index],
            anchor_years=self.anchor_years[index],
            known_on=self.known_on[index],
            inferred=self.inferred[index],
        )


@dataclass(frozen=True)
class Observation:
    """A panel seen from each firm's newest year, with all that was computed from it so far."""

    cube: Cube
    window: Window
    groups: Groups
    memory: Memory

    @property
    def firm_ids(self) -> Array:
        return self.cube.firm_ids


class AmongPeers:
    """A view whose positions come from a fitted reference."""

    def __init__(self, view: Window | FirmYears, placement: Placement) -> None:
        self.complete, self.earlier = view.complete, view.earlier
        self.lag, self.fact, self.comparable = view.lag, view.fact, view.comparable
        self.position = placement.position


def observe(panel: Panel) -> Observation:
    """Lay a panel out for computing; firms without any accounts have no profile."""
    cube = Cube(panel)
    window = Window(cube, facts(panel, cube.firm_ids))
    firms = panel.firms.reindex(cube.firm_ids)
    return Observation(cube, window, Groups(industry_of(firms), _size(window)), {})


def specs_for(panel: Panel, family: str) -> tuple[FeatureSpec, ...]:
    """The features that the task family permits, in a fixed order.

    A further column of a mapping brings its level, its yearly change and its position among peers.
    """
    if family not in FAMILIES:
        raise NotFound(f"No task family {family!r}.", f"Families: {', '.join(FAMILIES)}.")
    chosen = []
    for spec in (*BUILT_IN, *(s for extra in panel.extras for s in _of_extra(extra))):
        permitted = permitted_families(spec, panel)
        if family in permitted:
            chosen.append(replace(spec, families=permitted))
    return tuple(chosen)


def permitted_families(spec: FeatureSpec, panel: Panel) -> tuple[str, ...]:
    """A feature may enter a family only if everything it is made of may."""
    by_fact = {fact.name: fact.families for fact in FACTS}
    parts = [panel.column(source).families for source in spec.expr.sources]
    parts += [by_fact[name] for name in spec.expr.facts]
    return tuple(f for f in FAMILIES if all(f in part for part in parts))


@dataclass(frozen=True)
class Profile:
    """Features with the peer reference they were trained with."""

    specs: tuple[FeatureSpec, ...]
    reference: PeerReference

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(spec.name for spec in self.specs)

    @classmethod
    def fit(cls, specs: Sequence[FeatureSpec], training: Sequence[Observation]) -> Profile:
        """Learn the peer reference from the training observations only.

        Features that are unknown for every firm of every observation are left out.
        """
        specs = [spec for spec in specs if any(_known(spec.expr, o) for o in training)]
        inner = _peer_formulas(specs)
        values = [
            np.concatenate([evaluate(f, o.window, o.memory) for o in training]) for f in inner
        ]
        groups = Groups(
            np.concatenate([o.groups.industry for o in training]),
            np.concatenate([o.groups.size for o in training]),
        )
        return cls(tuple(specs), fit(inner, values, groups))

    def matrix(self, seen: Observation) -> FeatureMatrix:
        """Compute the profile of every firm with accounts."""
        view = AmongPeers(seen.window, self.reference.placed(seen.groups))
        # Positions depend on the reference, so they are not kept in the observation's memory.
        memory = {k: v for k, v in seen.memory.items() if not k[0].across_peers}
        values = np.empty((len(seen.firm_ids), len(self.specs)), order="F")
        for j, spec in enumerate(self.specs):
            values[:, j] = evaluate(spec.expr, view, memory)
        values[np.isinf(values)] = np.nan
        seen.memory.update({k: v for k, v in memory.items() if not k[0].across_peers})
        known_on, inferred = _knowledge(seen.cube)
        return FeatureMatrix(
            seen.cube.panel.as_of,
            seen.firm_ids,
            self.names,
            values,
            seen.window.anchor,
            known_on,
            inferred,
        )

    def positions(self, seen: Observation) -> Array:
        """Where each feature's value stands among peers, 0–100: (firms, features).

        NaN where the feature has no peer reference; a logarithm stands where its number stands.
        """
        view = AmongPeers(seen.window, self.reference.placed(seen.groups))
        places = np.full((len(seen.firm_ids), len(self.specs)), np.nan)
        for j, spec in enumerate(self.specs):
            of = spec.expr.args[0] if spec.expr.op in ("log", "peer") else spec.expr
            if self.reference.knows(of):
                places[:, j] = view.position(of, evaluate(of, seen.window, seen.memory))
        return places

    def require(self, family: str) -> None:
        """Refuse features that the task family does not permit."""
        barred = [spec.name for spec in self.specs if family not in spec.families]
        if barred:
            raise Refused(
                f"Features of a {family} task must be permitted for it; these are not: {barred}.",
                "Train the bundle again; never add columns by hand.",
            )


def _known(expr: Expr, seen: Observation) -> bool:
    """Whether the formula is known for any firm; a position is where its value is."""
    if expr.op == "peer":
        return _known(expr.args[0], seen)
    if seen.cube.lacks(expr.sources):
        return False
    return not np.isnan(evaluate(expr, seen.window, seen.memory)).all()


def _peer_formulas(specs: Sequence[FeatureSpec]) -> list[Expr]:
    found: dict[Expr, None] = {}

    def walk(expr: Expr) -> None:
        if expr.op == "peer":
            found[expr.args[0]] = None
        for arg in expr.args:
            walk(arg)

    for spec in specs:
        walk(spec.expr)
    return list(found)


def _of_extra(column: Column) -> tuple[FeatureSpec, ...]:
    def spec(suffix: str, zh: str, en: str, expr: Expr, direction: int) -> FeatureSpec:
        return FeatureSpec(
            column.name + suffix,
            column.zh + zh,
            column.en + en,
            column.unit,
            "character",
            "finance",
            expr,
            direction,
            actionable=False,
        )

    level = col(column.name)
    if column.ordinal or column.dtype == "bool":
        return (spec("", "", "", level, column.direction),)
    return (
        spec("", "", "", level, column.direction),
        spec("_change", "变化", ", change", change(level, 1), 0),
        spec("_last_year", "(上年)", ", a year before", level.lag(1), 0),
        spec("_peer", "同行位置", " among peers", peer(level), column.direction),
    )


def industry_of(firms: pd.DataFrame) -> Array:
    """The industry for peers: the GB/T 4754 division, else the sector as the source names it."""
    division = firms["industry_gb4754"].str.slice(0, 2)
    return division.where(division.notna(), firms["sector"]).fillna("").to_numpy(dtype=object)


def _size(window: Window) -> Array:
    revenue, assets = (window.lag(name, 0) for name in SIZE)
    return np.where(np.isnan(revenue), assets, revenue)


def _knowledge(cube: Cube) -> tuple[Array, Array]:
    """When the newest accounts of each firm became known, and whether that date was inferred."""
    newest = cube.annual.sort_values(["firm_id", "year"]).drop_duplicates("firm_id", keep="last")
    newest = newest.set_index("firm_id").reindex(cube.firm_ids)
    known = newest["known_on"].to_numpy(dtype="datetime64[D]")
    return known, newest["known_inferred"].fillna(False).to_numpy(dtype=bool)
