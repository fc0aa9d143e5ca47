"""What the plan's own rows stand on: the plan, the city at a day, and the same at earlier days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from policy.plan.ground import Ground
from policy.plan.rows import Plan
from policy.plan.settings import Settings
from policy.plan.stages import Definition

__all__ = ["Footing"]


@dataclass(frozen=True)
class Footing:
    """A plan and the ground it is measured on.

    ``year`` is the fiscal year of the ground's accounts. ``earlier`` gives the ground of an earlier
    day, by what is known today. ``tasks`` are the districts' numbers per target (任务分解).
    ``chances`` are chances of entry within a year per target, in the order of the panel's firms;
    without ``rng`` nothing is forecast. ``definition``, ``reachable`` and ``after`` (per tier) are
    what stages need. ``year_at`` is the fiscal year of the accounts on which an earlier ground
    stands.
    """

    plan: Plan
    ground: Ground
    year: int
    earlier: Callable[[date], Ground]
    tasks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    chances: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    rng: np.random.Generator | None = None
    definition: Definition | None = None
    reachable: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    after: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    year_at: Callable[[date], int] | None = None

    @property
    def day(self) -> date:
        return self.ground.panel.as_of

    @property
    def settings(self) -> Settings:
        return self.ground.settings

    def accounts_of(self, day: date) -> int:
        """The fiscal year of the accounts behind the ground of a day."""
        if day >= self.day:
            return self.year
        return min(day.year, self.year) if self.year_at is None else self.year_at(day)

    def silent(self) -> Footing:
        """The same without forecasts, for rows that only need values."""
        return replace(self, rng=None)
