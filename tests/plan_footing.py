"""A footing over a small panel, with a plain evaluator of conditions: no verdict engine needed.

Figures are read from the accounts of the ground's year, from firm records, and from the newest
credit record.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from plan_panels import ROOT

from features.panel import Panel
from features.schema import register
from policy.logic import MET, UNKNOWN, UNMET
from policy.plan.files import load_plans
from policy.plan.footing import Footing
from policy.plan.ground import Ground, newest_credit
from policy.plan.presence import looking_back
from policy.plan.settings import Settings
from policy.plan.stages import Definition, definition

__all__ = ["footing_of", "ground_of", "settings", "stage_definition"]

Array = Any


@cache
def shipped() -> Mapping[str, object]:
    found: dict[str, object] = {}
    for path in sorted((ROOT / "policy" / "data").glob("parameters*.toml")):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        found |= {name: each.get("value") for name, each in raw.items()}
    return found


def settings(**more: object) -> Settings:
    """The parameters that the package ships, some set otherwise."""
    return Settings({**shipped(), **more})


def stage_definition(chosen: Settings) -> Definition:
    path = ROOT / "policy" / "data" / "stages.toml"
    return definition(tomllib.loads(path.read_text(encoding="utf-8")), chosen)


@dataclass(frozen=True)
class Figures:
    """What is on record of each firm, for one fiscal year."""

    panel: Panel
    year: int
    settings: Settings

    def of_year(self, name: str, back: int = 0) -> Array:
        annual = self.panel.tables["annual"].set_index(["firm_id", "year"])[name]
        ids = self.panel.firm_ids
        keys = pd.MultiIndex.from_arrays([ids, [self.year - back] * len(ids)])
        return annual.reindex(keys).to_numpy()

    def value(self, name: str) -> Array:
        if name in self.panel.firms:
            return self.panel.firms[name].to_numpy()
        if name in self.panel.tables["credit"]:
            return newest_credit(self.panel, name).to_numpy()
        return self.of_year(name)

    def number(self, name: str) -> Array:
        if name in MADE:
            return MADE[name](self)
        if ranks := ranks_of(name):
            return np.array([ranks.get(v, math.nan) for v in self.value(name)], dtype=float)
        return np.asarray(self.value(name.removeprefix("credit.")), dtype=float)

    def growth(self, name: str) -> Array:
        now, before = (self.of_year(name, back).astype(float) for back in (0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(before > 0, 100.0 * (now / before - 1.0), math.nan)

    def holds(self, raw: Mapping[str, Any]) -> Array:
        if "all" in raw:
            return np.min([self.holds(part) for part in raw["all"]], axis=0)
        if "any" in raw:
            return np.max([self.holds(part) for part in raw["any"]], axis=0)
        if "not" in raw:
            inner = self.holds(raw["not"])
            return np.where(inner == MET, UNMET, np.where(inner == UNMET, MET, inner))
        name = raw["metric"]
        if "one_of" in raw:
            found = pd.Series(self.value(name), dtype=object)
            missing, hit = found.isna().to_numpy(), found.isin(raw["one_of"]).to_numpy()
        else:
            figures = self.number(name)
            test, bound = next((k, v) for k, v in raw.items() if k in TESTS)
            if isinstance(bound, Mapping):
                bound = self.settings.number(bound)
            elif isinstance(bound, str):
                bound = ranks_of(name)[bound]
            missing, hit = np.isnan(figures), TESTS[test](figures, bound)
        return np.where(missing, UNKNOWN, np.where(hit, MET, UNMET)).astype(np.int8)


def four_new(figures: Figures) -> Array:
    tags = figures.panel.firms["four_new_tag"]
    return np.where(tags.isna(), np.nan, (tags.fillna("") != "").astype(float))


def age(figures: Figures) -> Array:
    founded = figures.panel.firms["founded_on"]
    days = (pd.Timestamp(figures.panel.as_of) - founded).dt.days
    return (days / 365.25).to_numpy(dtype=float)


def share(part: str, whole: str) -> Callable[[Figures], Array]:
    def compute(figures: Figures) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return 100.0 * figures.number(part) / figures.number(whole)

    return compute


MADE: Mapping[str, Callable[[Figures], Array]] = {
    "plan_four_new": four_new,
    "age_years": age,
    "main_share_pct": share("main_revenue", "revenue"),
    "rd_ratio_pct": share("rd_expense", "revenue"),
    "main_revenue[-1]": lambda f: f.of_year("main_revenue", 1).astype(float),
    "net_profit[-1]": lambda f: f.of_year("net_profit", 1).astype(float),
    "main_growth_pct": lambda f: f.growth("main_revenue"),
    "plan_net_profit_growth_pct": lambda f: f.growth("net_profit"),
    "revenue_growth_1y_pct": lambda f: f.growth("revenue"),
    "plan_employees_change": lambda f: (
        f.number("employees") - f.of_year("employees", 1).astype(float)
    ),
    "net_profit_growth_pct": lambda f: f.growth("net_profit"),
    "founded_years": age,
    "niche_years": lambda f: f.number("years_in_niche"),
}

TESTS: Mapping[str, Callable[[Array, Any], Array]] = {
    "at_least": lambda x, bound: x >= bound,
    "at_most": lambda x, bound: x <= bound,
    "above": lambda x, bound: x > bound,
    "below": lambda x, bound: x < bound,
    "is": lambda x, bound: (x != 0) == bool(bound),
}


def ranks_of(name: str) -> Mapping[str, int]:
    columns = register().tables["annual"].columns
    return columns[name].ranks if name in columns else {}


def ground_of(panel: Panel, year: int, chosen: Settings, **more: Any) -> Ground:
    """``year`` is the fiscal year of the accounts."""
    figures = Figures(panel, year, chosen)
    nothing: dict[str, Any] = {"gaps": lambda _: None, "status": lambda _: None}
    return Ground(panel, chosen, figures.holds, figures.number, **(nothing | more))


def footing_of(panel: Panel, **more: Any) -> Footing:
    """A footing on the plan to 2025; the accounts are of the year before the panel's day.

    ``parameters`` change settings, ``budgets`` and ``reviewed`` are the city's, ``ground`` goes to
    the grounds, the rest to the footing.
    """
    parameters = settings(**more.pop("parameters", {})).parameters
    chosen = Settings(parameters, more.pop("reviewed", frozenset()), more.pop("budgets", {}))
    own, extra = panel.as_of.year - 1, more.pop("ground", {})
    plan = more.pop("plan", None) or load_plans()["2025"]

    def earlier(day: date) -> Ground:
        return ground_of(looking_back(panel, day), min(day.year, own), chosen, **extra)

    ground = ground_of(panel, own, chosen, **extra)
    return Footing(plan, ground, own, earlier, **({"definition": stage_definition(chosen)} | more))
