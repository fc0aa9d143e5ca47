"""Outcomes of a city drawn anew from its true hazards, under the same features and the same rules.

Firms, accounts and titles stay as they were seen; only what training takes for the outcome of a
window is drawn, for every task and cohort that the truth knows. What is unknown stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from unittest import mock

import numpy as np
import pandas as pd

from features.panel import Panel
from features.profile import Observation
from model import examples, labels
from model.tasks import Task
from tidu import digest

__all__ = ["Outcomes"]


class Outcomes:
    """Draws of the outcomes behind a truth table (firm_id, as_of, task, probability)."""

    def __init__(self, truth: pd.DataFrame) -> None:
        self._hazards = {
            (str(task), pd.Timestamp(day).date()): part.set_index("firm_id")["probability"]
            for (task, day), part in truth.groupby(["task", "as_of"], observed=True)
        }

    @contextmanager
    def drawn(self, number: int) -> Iterator[None]:
        """Inside, cohorts are labelled by draw ``number``; the same number gives the same draw."""

        def label(task: Task, seen: Observation, evidence: Panel) -> np.ndarray:
            return self._label(task, seen, evidence, number)

        with mock.patch.object(examples, "label", label):
            yield

    def _label(self, task: Task, seen: Observation, evidence: Panel, number: int) -> np.ndarray:
        known = labels.label(task, seen, evidence)
        day = seen.cube.panel.as_of
        hazard = self._hazard(str(task.name), day, seen.firm_ids)
        found = (self._random(str(task.name), day, number, len(hazard)) < hazard).astype("float64")
        return np.where(np.isnan(known) | np.isnan(hazard), np.nan, found)

    def _hazard(self, task: str, day: date, firm_ids: np.ndarray) -> np.ndarray:
        found = self._hazards.get((task, day))
        if found is None:
            return np.full(len(firm_ids), np.nan)
        ids = found.index.astype(str)
        chance = pd.Series(found.to_numpy(dtype="float64"), ids).reindex(firm_ids.astype(str))
        return np.asarray(chance.to_numpy())

    @staticmethod
    def _random(task: str, day: date, number: int, size: int) -> np.ndarray:
        seed = int(digest.of_json([task, day.isoformat(), number])[:12], 16)
        return np.random.default_rng(seed).random(size)
