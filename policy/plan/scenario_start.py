"""Today, from which every scenario starts: tiers as their batches judge them, firms by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER
from features.panel import Panel
from features.schema import register
from policy.inputs import without_section
from policy.law import Law
from policy.logic import MET
from policy.plan.footing import Footing
from policy.plan.ground import Ground
from policy.plan.grounded import otherwise, settings_of
from policy.plan.one_off import budget
from policy.plan.rows import Plan
from policy.plan.scenario import Scenario
from policy.plan.scopes import holds_any
from policy.plan.settings import Settings
from policy.plan.settlement import if_recognised
from policy.plan.simulation import Today
from policy.plan.stages import may
from policy.plan.targets import Target, target
from policy.situation import Situation
from policy.sizes import CLASSES
from policy.values import Values
from tidu.errors import NotFound

__all__ = ["Assumed", "Start", "groupings", "recognised"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """Today, from which every scenario starts. ``order`` by tier ranks firms within a quota."""

    situation: Situation
    footing: Footing
    order: Mapping[str, Floats] = field(default_factory=dict)
    _today: dict[str, Today] = field(default_factory=dict)
    _before: dict[tuple[str, ...], Assumed] = field(default_factory=dict)

    @property
    def law(self) -> Law:
        return self.situation.law

    @property
    def panel(self) -> Panel:
        return self.situation.panel

    @property
    def plan(self) -> Plan:
        return self.footing.plan

    def today(self, tier: str) -> Today:
        """A tier as its batch of the day judges it."""
        if tier not in self._today:
            batch = self.situation.batch(tier)
            self._today[tier] = Today(
                self.law.edition(batch.edition),
                self.situation.of_batch(batch),
                "new",
                _candidates(self.footing.ground, tier),
                batch.quota,
                self.order.get(tier),
            )
        return self._today[tier]

    def candidates(self, tier: str) -> Mask:
        """Firms of the city that can still rise to a tier."""
        found = self.today(tier).may
        assert found is not None
        return found

    @cached_property
    def as_is(self) -> Assumed:
        """The city with the titles on record, as it has everything set today."""
        return Assumed(self.law, self.plan, self.panel, self.footing)

    def before(self, tiers: Sequence[str], entrants: Mapping[str, Mask]) -> Assumed:
        """The city of today if ``entrants`` were recognised; worked out once for the same tiers."""
        key = tuple(tiers)
        if key not in self._before:
            self._before[key] = replace(self.as_is, panel=recognised(self.panel, entrants))
        return self._before[key]

    @cached_property
    def groupings(self) -> Mapping[str, NDArray[np.object_]]:
        values = self.footing.ground.values
        assert values is not None, "a ground of the law has its values"
        return groupings(self.panel, values)

    def touched(self, scenario: Scenario) -> list[str]:
        """Tiers in force that the scenario names, or whose edition reads a parameter it changes."""
        named_tiers = {*scenario.thresholds, *scenario.editions, *scenario.quotas}
        found = []
        for tier in self.law.tiers:
            try:
                edition = self.law.select(tier, self.panel.as_of)
            except NotFound:
                continue
            if tier in named_tiers or edition.parameters & set(scenario.parameters):
                found.append(tier)
        return found


@dataclass(frozen=True)
class Assumed:
    """A city with its law, its plan's numbers and the titles that ``panel`` holds.

    ``base`` is today's footing: the same firms, figures and earlier days.
    """

    law: Law
    plan: Plan
    panel: Panel
    base: Footing

    @cached_property
    def settings(self) -> Settings:
        return settings_of(self.law)

    @cached_property
    def budget(self) -> pd.DataFrame:
        """The one-off rewards by year of payment and district."""
        return budget(self.plan.by_id, self.panel, self.settings)

    @cached_property
    def footing(self) -> Footing:
        """The footing on which its targets are measured; nothing is forecast."""

        def earlier(day: date) -> Ground:
            return otherwise(self.base.earlier(day), self.law)

        ground = otherwise(self.base.ground, self.law, self.panel)
        return replace(self.base.silent(), plan=self.plan, ground=ground, earlier=earlier)

    def target(self, row: str) -> Target:
        """A target of the plan, measured once."""
        if row not in self._targets:
            self._targets[row] = target(self.plan.row(row), self.footing)
        return self._targets[row]

    @cached_property
    def _targets(self) -> dict[str, Target]:
        return {}


def recognised(panel: Panel, entrants: Mapping[str, Mask]) -> Panel:
    """The panel in which firms got a title on its day, by tier; boards are no titles."""
    titles = register().tables["titles"].columns["tier"].codes
    own = {tier: rows for tier, rows in entrants.items() if tier in titles and rows.any()}
    return if_recognised(panel, own, panel.as_of) if own else panel


def groupings(panel: Panel, values: Values) -> dict[str, NDArray[np.object_]]:
    """District, size class (300号), industry (division of GB/T 4754) of each firm; "" unknown."""
    firms, columns = panel.firms, values.inputs.columns
    low, high = columns["size_low()"], columns["size_high()"]
    size = np.array([*CLASSES, ""], dtype=object)
    place = np.where(low == high, low, len(CLASSES)).astype("int64")
    code = firms["industry_gb4754"].fillna("").astype(object)
    division = [_division(text) for text in code]
    return {
        "district": firms["district"].fillna("").to_numpy(dtype=object),
        "size": size[place],
        "industry": np.array(division, dtype=object),
    }


def _division(code: str) -> str:
    """The two digits of a code, or its section letter where there are none.

    >>> [_division(code) for code in ("C3921", "3921", "C", "")]
    ['39', '39', 'C', '']
    """
    return without_section(code)[:2] or code[:1]


def _candidates(ground: Ground, tier: str) -> Mask:
    """Firms of the city that do not hold the tier (nor, on the ladder, a higher one)."""
    if tier in LADDER:
        return may(ground, tier)
    return np.asarray((ground.present == MET) & (holds_any(ground.panel, (tier,)) != MET))
