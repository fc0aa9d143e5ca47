"""Kin of a ladder task: the same question asked of the ladder's other tiers, at the same dates.

Cohorts, labels and what must be known by when are those of the other tiers' own tasks. A tier with
thousands of firms that did not rise tells no more by all of them than by some: of those a seeded
choice stays, and each stands for several.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.expr import Array
from features.facts import LADDER
from features.panel import Panel
from features.profile import Profile
from model.cited import cited
from model.examples import Cohort, Examples, cohort_of, examples
from model.kin import Kin
from model.tasks import Task, find

__all__ = ["borrowed", "kin_tasks", "with_kin"]

MOST_NEGATIVES = 2500
"""Of one tier; with 2 500 beside 650 positives the weighted trees rank as with all 24 000."""
RULES = frozenset({"title", "application", "recognition", "lapse"})
"""Label rules that ask the same of every tier, so that one tier teaches about another."""


def kin_tasks(task: Task, evidence: Panel) -> tuple[Task, ...]:
    """The same task of the other tiers; none for a task that is not one of the ladder."""
    if task.rule not in RULES or task.tier not in LADDER or evidence.outcome_task:
        return ()
    others = (tier for tier in LADDER if tier != task.tier)
    return tuple(find(f"{task.name.name}:{tier}@{task.months}", ()) for tier in others)


def with_kin(
    rows: Examples,
    parts: list[Cohort],
    profile: Profile,
    evidence: Panel,
    barred: frozenset[str] = frozenset(),
) -> Examples:
    """Add to the rows of ``parts`` their kin, with labels known to ``evidence``.

    No row of a group in ``barred`` enters. Without kin the rows come back as they are.
    """
    tasks = kin_tasks(rows.task, evidence)
    if not tasks:
        return rows
    found = []
    asked = cited(profile.specs, evidence.as_of)
    own = LADDER.index(rows.task.tier) + 1
    rng = np.random.default_rng(0)  # which rows stand for others; the same in every training
    for task in tasks:
        cohorts = [_labelled(task, part, evidence, barred) for part in parts]
        cohorts = [part for part in cohorts if len(part.index)]
        if not cohorts:
            continue
        theirs = examples(task, cohorts, profile)
        if 0 < theirs.label.sum() < len(theirs.label):
            found.append(_thinned(theirs, own, asked, rng))
    return replace(rows, kin=Kin.together(found)) if found else rows


def borrowed(kin: Kin) -> list[dict[str, object]]:
    """Of each other tier that may teach: its rows and outcomes, for the report."""
    return [
        {
            "tier": LADDER[place - 1],
            "n": int((kin.place == place).sum()),
            "positives": int(kin.label[kin.place == place].sum()),
        }
        for place in np.unique(kin.place)
    ]


def _labelled(task: Task, part: Cohort, evidence: Panel, barred: frozenset[str]) -> Cohort:
    whole = cohort_of(task, part.seen, evidence)
    known = whole.fresh & ~np.isnan(whole.label)
    return whole.kept(known & ~np.isin(whole.groups.astype(str), sorted(barred)))


def _thinned(theirs: Examples, own: int, asked: Array, rng: np.random.Generator) -> Kin:
    """All that rose, and at most ``MOST_NEGATIVES`` of those that did not."""
    weight = np.ones(len(theirs.label))
    negatives = np.flatnonzero(theirs.label == 0)
    kept = np.ones(len(weight), dtype=bool)
    if len(negatives) > MOST_NEGATIVES:
        kept[rng.permutation(negatives)[MOST_NEGATIVES:]] = False
        weight[negatives] = len(negatives) / MOST_NEGATIVES
    place = np.full(len(weight), LADDER.index(theirs.task.tier) + 1)
    known = (theirs.values, theirs.label, theirs.groups, theirs.dates)
    whole = Kin(own, *known, place, weight, asked)
    return whole.rows(kept)
