"""Training examples: cohorts a year apart, with the accounts of their date, labels matured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import takewhile

import numpy as np

from features.expr import Array
from features.panel import History, Panel
from features.profile import FeatureMatrix, Observation, Profile, observe, specs_for
from model.editions import counted, routes_off
from model.kin import Kin
from model.labels import cohort, editions, fresh, label, supported
from model.tasks import Task
from tidu.clock import add_months
from tidu.errors import NotAvailable

__all__ = [
    "Cohort",
    "Examples",
    "both_classes",
    "cohort_at",
    "cohort_of",
    "cohorts",
    "editions_of",
    "examples",
    "fitted_profile",
    "matrix",
    "yearly",
]


MOST_YEARS = 60


@dataclass(frozen=True)
class Cohort:
    """Firms asked about at one date: ``index`` into ``seen.firm_ids``, their labels, freshness.

    ``edition`` is that of each outcome, "" where there is none.
    """

    seen: Observation
    index: Array
    label: Array
    fresh: Array
    edition: Array

    @property
    def as_of(self) -> date:
        return self.seen.cube.panel.as_of

    @property
    def firm_ids(self) -> Array:
        return np.asarray(self.seen.firm_ids[self.index])

    @property
    def groups(self) -> Array:
        return self.seen.cube.panel.split_groups(self.firm_ids)

    def kept(self, mask: Array) -> Cohort:
        return Cohort(
            self.seen,
            self.index[mask],
            self.label[mask],
            self.fresh[mask],
            self.edition[mask],
        )


@dataclass(frozen=True)
class Examples:
    """A training set: one row a firm and cohort date, in a fixed order.

    ``kin`` are rows of the ladder's other tiers that the task may borrow from. Chosen rows come
    without kin, for whoever chooses must say which kin may still teach.
    """

    task: Task
    values: Array
    names: tuple[str, ...]
    label: Array
    groups: Array
    dates: Array
    kin: Kin | None = None

    def rows(self, mask: Array) -> Examples:
        return Examples(
            self.task,
            self.values[mask],
            self.names,
            self.label[mask],
            self.groups[mask],
            self.dates[mask],
        )


def yearly(last: date, history: History) -> list[date]:
    """Return ``last`` and the same day of earlier years, newest first, while accounts are known."""
    accounts = history.rows.get("annual")
    if accounts is None or not len(accounts.known):
        return []
    first = accounts.known.min()
    days = (add_months(last, -12 * step) for step in range(MOST_YEARS))
    return [*takewhile(lambda day: np.datetime64(day) >= first, days)]


def cohort_at(history: History, task: Task, day: date, evidence: Panel | None = None) -> Cohort:
    """The cohort of a date; without ``evidence`` its labels are unknown."""
    return cohort_of(task, observe(history.as_of(day)), evidence)


def cohort_of(task: Task, seen: Observation, evidence: Panel | None = None) -> Cohort:
    """The same of what was observed at a date."""
    index = np.flatnonzero(cohort(task, seen))
    known = np.full(len(index), np.nan)
    edition = np.full(len(index), "", dtype=object)
    if evidence is not None:
        known = label(task, seen, evidence)[index]
        edition = np.where(known == 1, editions(task, seen, evidence)[index], "")
    return Cohort(seen, index, known, fresh(seen)[index], edition)


def cohorts(history: History, task: Task, days: list[date], known_by: date) -> list[Cohort]:
    """Cohorts with the labels known by ``known_by``; stale firms and unknown labels are left out.

    Raises :class:`NotAvailable` where the data cannot support the task at all.
    """
    evidence = history.as_of(known_by)
    supported(task, evidence)
    found = [cohort_at(history, task, day, evidence) for day in days]
    labelled = [c.kept(c.fresh & ~np.isnan(c.label)) for c in found]
    if evidence.outcome_task:
        labelled = _each_row_once(labelled)
    return [c for c in labelled if len(c.index)]


def _each_row_once(parts: list[Cohort]) -> list[Cohort]:
    """Leave every labelled row to the earliest date at which it is an example."""
    used: set[tuple[object, object]] = set()
    kept = {}
    for part in sorted(parts, key=lambda c: c.as_of):
        years = part.seen.cube.newest_year[part.index]
        rows = [*zip(part.firm_ids, years.tolist(), strict=True)]
        kept[part.as_of] = part.kept(np.array([row not in used for row in rows], dtype=bool))
        used.update(rows)
    return [kept[part.as_of] for part in parts]


def examples(task: Task, parts: list[Cohort], profile: Profile) -> Examples:
    """Stack cohorts into one training set."""
    matrices = [matrix(c, profile) for c in parts]
    return Examples(
        task,
        np.asfortranarray(np.concatenate([m.values for m in matrices])),
        profile.names,
        np.concatenate([c.label for c in parts]),
        np.concatenate([c.groups for c in parts]),
        np.concatenate([np.full(len(c.index), np.datetime64(c.as_of)) for c in parts]),
    )


def matrix(part: Cohort, profile: Profile) -> FeatureMatrix:
    """The profiles of a cohort's firms."""
    return profile.matrix(part.seen).rows(part.index)


def editions_of(task: Task, parts: list[Cohort]) -> dict[str, int]:
    """How many outcomes each edition decided, over cohorts; empty for a task without a title."""
    if not task.tier or not parts:
        return {}
    edition = np.concatenate([part.edition for part in parts])
    return counted(edition, np.concatenate([part.label for part in parts]))


def fitted_profile(task: Task, parts: list[Cohort], day: date | None = None) -> Profile:
    """Choose features on the newest training cohort and fit peers on all of them.

    Features of routes that are abolished on ``day``, when the model is made, are left out.
    """
    permitted = specs_for(parts[0].seen.cube.panel, task.family)
    off = routes_off(task, permitted, day or parts[0].as_of)
    specs = [spec for spec, is_off in zip(permitted, off, strict=True) if not is_off]
    if not specs:
        raise NotAvailable(
            f"{task.name} needs at least one permitted feature with data; none was found.",
            "Import accounts with more columns.",
        )
    profile = Profile.fit(specs, [part.seen for part in parts])
    profile.require(task.family)
    return profile


def both_classes(task: Task, label: Array) -> None:
    """Refuse to learn from one class."""
    positives = int(label.sum())
    if positives == 0 or positives == len(label):
        raise NotAvailable(
            f"{task.name} needs firms with and without the outcome; found {positives} positives"
            f" among {len(label)} labelled firms.",
            "Choose an earlier or later --as-of, another horizon, or import more years.",
        )
