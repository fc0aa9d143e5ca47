"""From a history to what the leakage tests look at: examples with their profile then and before."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from features.panel import History
from features.profile import Profile, observe
from model.examples import Cohort, both_classes, examples, fitted_profile
from model.leakage import Evidence
from model.tasks import Task
from model.training import training_cohorts
from tidu.clock import add_months

__all__ = ["evidence"]

COHORTS = 4
YEAR = 12


def evidence(history: History, task: Task, day: date) -> Evidence:
    """The newest cohorts whose outcomes were known by ``day``, four at most.

    Raises :class:`~tidu.errors.NotAvailable` where there are none, or one outcome alone.
    """
    parts = training_cohorts(history, task, day)[:COHORTS]
    profile = fitted_profile(task, parts)
    rows = examples(task, parts, profile)
    both_classes(task, rows.label)
    known = {name for spec in profile.specs for name in spec.expr.sources if _known(parts, name)}
    columns = tuple((spec.expr.sources & known) | spec.expr.facts for spec in profile.specs)
    before = np.concatenate([_before(history, part, profile) for part in parts])
    return Evidence(rows.names, columns, rows.values, before, rows.label, rows.groups, rows.dates)


def _known(parts: list[Cohort], column: str) -> bool:
    """Whether the data holds the column: a formula may name others in its place."""
    return any(part.seen.cube.has(column) for part in parts)


def _before(history: History, part: Cohort, profile: Profile) -> np.ndarray:
    """The profiles of the same firms as they were known a year before; NaN where none was."""
    seen = observe(history.as_of(add_months(part.as_of, -YEAR)))
    values = profile.matrix(seen).values
    row = pd.Index(seen.firm_ids).get_indexer(part.firm_ids)
    found = np.full((len(row), values.shape[1]), np.nan)
    found[row >= 0] = values[row[row >= 0]]
    return found
