"""Small panels written by hand: rows as lists of dictionaries, seen through the one door."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from strategies import typed

from features.mapping import Coverage
from features.panel import History, Panel, Rows
from features.schema import register
from policy.logic import MET, UNKNOWN, UNMET
from policy.plan.files import load_plans
from policy.plan.ground import Ground
from policy.plan.rows import Row
from policy.plan.settings import Settings

__all__ = ["EVERYTHING", "defaults", "ground_of", "history_of", "panel_of", "plan"]

ROOT = Path(__file__).resolve().parent.parent

LONG_AGO, FAR_AHEAD = date(2000, 1, 1), date(2099, 12, 31)
TABLES = register().tables
EVERYTHING = (
    *TABLES["events"].columns["kind"].codes,
    *(f"title:{tier}" for tier in TABLES["titles"].columns["tier"].codes),
)
"""Every kind whose absence a mapping may declare to mean: did not happen."""


def panel_of(
    day: date,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    covered: Sequence[str] = EVERYTHING,
) -> Panel:
    """The panel at a day; every row was known from its own moment on, or always."""
    return history_of(tables, covered).as_of(day)


def history_of(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], covered: Sequence[str] = EVERYTHING
) -> History:
    """A history of rows that were always known."""
    rows = {}
    for name, records in tables.items():
        if not records:
            continue
        frame = typed(TABLES[name], pd.DataFrame(list(records)))
        frame = frame.assign(
            known_on=pd.Series([pd.Timestamp(LONG_AGO)] * len(frame), dtype="datetime64[s]"),
            known_inferred=False,
            seq=1,
        )
        rows[name] = Rows.build(frame, TABLES[name].key)
    coverage = tuple(Coverage(kind, LONG_AGO, FAR_AHEAD) for kind in covered)
    return History("0" * 64, rows, (), coverage, (), None)


def plan() -> Mapping[str, Row]:
    """The rows of the plan to 2025 by id."""
    return load_plans()["2025"].by_id


def defaults(**more: object) -> Settings:
    """The parameters that the package ships, some set otherwise."""
    path = ROOT / "policy" / "data" / "parameters_rewards.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Settings({name: each.get("value") for name, each in raw.items()} | more)


def ground_of(panel: Any, figures: Mapping[str, Mapping[str, Any]], **more: Any) -> Ground:
    """A ground over figures by metric and firm; what is absent is unknown."""

    def number(name: str) -> Any:
        known = figures.get(name, {})
        return np.array([known.get(firm, math.nan) for firm in panel.firm_ids], dtype=float)

    def holds(raw: Mapping[str, Any]) -> Any:
        return np.array([judged(raw, firm) for firm in panel.firm_ids], dtype=np.int8)

    def judged(raw: Mapping[str, Any], firm: str) -> int:
        if "all" in raw:
            return min(judged(part, firm) for part in raw["all"])
        if "any" in raw:
            return max(judged(part, firm) for part in raw["any"])
        if "not" in raw:
            inner = judged(raw["not"], firm)
            return {MET: UNMET, UNMET: MET}.get(inner, inner)
        value: Any = figures.get(raw["metric"], {}).get(firm)
        if value is None:
            return UNKNOWN
        tests = {
            "at_least": lambda bound: value >= bound,
            "at_most": lambda bound: value <= bound,
            "above": lambda bound: value > bound,
            "is": lambda bound: bool(value) is bound,
            "one_of": lambda bound: value in bound,
        }
        (name, bound), *_ = ((k, v) for k, v in raw.items() if k in tests)
        bound = defaults().number(bound) if isinstance(bound, dict) else bound
        return MET if tests[name](bound) else UNMET

    nothing: Any = {"settings": defaults(), "gaps": lambda _: None, "status": lambda _: None}
    return Ground(panel=panel, holds=holds, number=number, **(nothing | more))
