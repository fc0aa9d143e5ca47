"""Rows of the ladder's other tiers, from which trees of a tier with few outcomes may learn too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from features.expr import Array
from model.folds import grouped
from tidu.errors import UsageError

__all__ = ["Kin"]

PER_ROW = ("values", "label", "groups", "dates", "place", "weight")


@dataclass(frozen=True, eq=False)
class Kin:
    """One row a firm, cohort date and other tier, with the columns of the served tier's rows.

    ``place`` is the tier of each row counted from 1 upwards, ``own`` that of the served one, which
    has no row here. ``weight`` is how many rows one stands for where some were left out. ``cited``
    says of each column whether the ladder's law asks about it (:mod:`model.cited`).
    """

    own: int
    values: Array
    label: Array
    groups: Array
    dates: Array
    place: Array
    weight: Array
    cited: Array

    def __post_init__(self) -> None:
        n = len(self.label)
        sized = (self.groups, self.dates, self.place, self.weight)
        sound = self.values.ndim == 2 and len(self.values) == n and all(len(a) == n for a in sized)
        sound = sound and self.cited.shape == self.values.shape[1:]
        strange = self.own < 1 or bool((self.place == self.own).any())
        if not sound or strange or bool((self.place < 1).any() or (self.weight <= 0).any()):
            raise UsageError(
                "Rows of kin must have one label, group, date, place and positive weight each,"
                f" stand on another tier than the served one ({self.own}), and say of each"
                f" column whether it is cited; found {n} labels, values {self.values.shape}, cited"
                f" {self.cited.shape}, places {np.unique(self.place).tolist()}."
            )

    def columns(self, order: Array) -> Kin:
        """The same with the columns in another order."""
        return replace(self, values=self.values[:, order], cited=self.cited[order])

    def rows(self, mask: Array) -> Kin:
        """The same for chosen rows."""
        return replace(self, **{name: getattr(self, name)[mask] for name in PER_ROW})

    @staticmethod
    def together(parts: Sequence[Kin]) -> Kin:
        """Rows of several tiers, of the same served one and with the same columns."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in PER_ROW
        }
        return replace(parts[0], **joined)

    def without(self, groups: Array) -> Kin:
        """Rows of firms outside ``groups``."""
        return self.rows(~np.isin(self.groups.astype(str), np.unique(groups.astype(str))))

    def drawn(self, rng: np.random.Generator) -> Kin:
        """Firms drawn anew, a Poisson number of times each (Oza and Russell 2001)."""
        firms, index = np.unique(self.groups.astype(str), return_inverse=True)
        times = rng.poisson(1.0, len(firms))[index]
        return replace(self, weight=np.where(times > 0, self.weight * times, 1.0)).rows(times > 0)

    def halves(self, groups: Array, side: Array, seed: int) -> tuple[Kin, Kin]:
        """Two parts without a common firm; firms of ``groups`` go to their ``side``, 0 or 1."""
        own = dict(zip(groups.astype(str), side, strict=True))
        dealt = grouped(self.groups, self.label, 2, seed)
        names = self.groups.astype(str)
        there = np.array([own.get(name, half) for name, half in zip(names, dealt, strict=True)])
        return self.rows(there == 0), self.rows(there == 1)

    def before(self, date: np.datetime64) -> Kin:
        """Rows of cohorts before ``date``."""
        return self.rows(np.asarray(self.dates < date))
