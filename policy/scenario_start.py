"""Today, from which every scenario starts: tiers as their batches judge them, firms by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER
from features.panel import Panel
from policy.footing import Footing
from policy.ground import Ground
from policy.law import Law
from policy.logic import MET
from policy.one_off import budget
from policy.plan import Plan
from policy.scenario import Scenario
from policy.scopes import holds_any
from policy.simulation import Today
from policy.situation import Situation
from policy.sizes import CLASSES
from policy.stages import may
from tidu.errors import NotFound

__all__ = ["Start", "groupings"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """Today, from which every scenario starts. ``order`` by tier ranks firms within a quota."""

    situation: Situation
    footing: Footing
    order: Mapping[str, Floats] = field(default_factory=dict)
    _today: dict[str, Today] = field(default_factory=dict)

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
    def recorded(self) -> pd.DataFrame:
        """The budget by titles on record, as the city has it set today."""
        return budget(self.plan.by_id, self.panel, self.footing.settings)

    @cached_property
    def groupings(self) -> Mapping[str, NDArray[np.object_]]:
        return groupings(self.footing.ground)

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


def groupings(ground: Ground) -> dict[str, NDArray[np.object_]]:
    """District, size class (300号), industry (division of GB/T 4754) of each firm; "" unknown."""
    assert ground.values is not None
    firms, columns = ground.panel.firms, ground.values.inputs.columns
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
    return code.lstrip("ABCDEFGHIJKLMNOPQRST")[:2] or code[:1]


def _candidates(ground: Ground, tier: str) -> Mask:
    """Firms of the city that do not hold the tier (nor, on the ladder, a higher one)."""
    if tier in LADDER:
        return may(ground, tier)
    return np.asarray((ground.present == MET) & (holds_any(ground.panel, (tier,)) != MET))
