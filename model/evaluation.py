"""Evaluation: what a model trained then would have been worth later, beside simple rivals.

Out of time, each test date is scored by a model trained on what was known by that date. With test
firms given, models learn from all firms outside their split groups instead, and dates may
coincide. Row labels may be a status that stays, so no model may know the firm: firms are dealt into
folds, and each fold is scored by a model of earlier rows of the other firms. Metrics are of one
list a date, averaged with the dates' positives as weights, so that a model is never rewarded for
telling years apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from features.panel import History, Panel
from model.editions import blanked, statements
from model.evaluated import Evaluation, Tested, both, together
from model.examples import (
    Cohort,
    Examples,
    both_classes,
    cohort_at,
    cohorts,
    examples,
    fitted_profile,
    matrix,
    yearly,
)
from model.fairness_groups import groups_of
from model.folds import grouped
from model.ladder import with_kin
from model.rivals import BASELINES
from model.tasks import Task
from model.training import Origin, Run, Trained, learn, training_cohorts
from tidu.errors import NotAvailable

__all__ = [
    "Evaluation",
    "Known",
    "Tested",
    "evaluate",
    "evidence_day",
    "fitted",
    "scored",
    "without",
]

FOLDS = 5


def evaluate(
    history: History,
    task: Task,
    days: Sequence[date],
    test_firms: frozenset[str] | None = None,
    run: Run = Run(),  # noqa: B008 - frozen
) -> Evaluation:
    """Evaluate at ``days``; raises :class:`NotAvailable` where labels or positives are missing."""
    tests = _tests(history, task, sorted(set(days)), test_firms)
    if test_firms is not None:
        found = _by_firms(history, task, tests, test_firms, run)
    else:
        found = _out_of_time(history, task, tests, run)
    panels = {test.as_of: test.seen.cube.panel for test in tests}
    tested = (replace(t, compared_by=groups_of(panels[t.as_of], t.firm_ids)) for t in found.tested)
    return replace(found, tested=tuple(tested))


def _out_of_time(history: History, task: Task, tests: list[Cohort], run: Run) -> Evaluation:
    found = []
    for test in tests:
        parts = training_cohorts(history, task, test.as_of)
        origin = Origin(test.as_of, history.head)
        if history.outcome_task == task.name.name:
            earlier = [part for part in parts if part.as_of < test.as_of]
            found.append(_of_strangers(task, earlier, test, origin, run))
        else:
            known = Known(history.as_of(test.as_of))
            found.append(scored(parts, fitted(task, parts, origin, run, known), test))
    return Evaluation(task, "out of time", tuple(found))


def _of_strangers(
    task: Task, parts: list[Cohort], test: Cohort, origin: Origin, run: Run
) -> Tested:
    """Score each fold of the tested firms by a model of the other groups' rows in ``parts``."""
    trained_on = {g for part in parts for g in part.groups}
    k = FOLDS if trained_on & set(test.groups) else 1
    fold = grouped(test.groups, test.label, k, run.seed)
    pieces = []
    for i in np.unique(fold):
        chosen = test.kept(fold == i)
        others = without(parts, frozenset(chosen.groups))
        pieces.append(scored(others, fitted(task, others, origin, run), chosen))
    return together(pieces)


def evidence_day(history: History) -> date:
    """The last day about which the history says anything: rows, or declared coverage."""
    return max([history.last_known, *(c.end for c in history.coverage)])


def _tests(
    history: History, task: Task, days: Sequence[date], firms: frozenset[str] | None
) -> list[Cohort]:
    evidence = history.as_of(evidence_day(history))
    tests = []
    for day in days:
        full = cohort_at(history, task, day, evidence)
        chosen = full.fresh & ~np.isnan(full.label)
        if firms is not None:
            chosen &= np.isin(full.firm_ids.astype(str), np.array(sorted(firms), dtype=str))
        part = full.kept(chosen)
        if not len(part.index):
            raise NotAvailable(
                f"{task.name} has no firm with a known outcome at test date {day}; the data knows"
                f" outcomes up to {evidence.as_of}.",
                "Choose an earlier test date or a shorter horizon.",
            )
        tests.append(part)
    if not any(both(t.label) for t in tests):
        found = ", ".join(f"{int(t.label.sum())} of {len(t.label)} on {t.as_of}" for t in tests)
        raise NotAvailable(
            f"An evaluation of {task.name} needs a test date with both outcomes; found positives"
            f" {found}.",
            "Add test dates or test firms.",
        )
    return tests


def _by_firms(
    history: History, task: Task, tests: list[Cohort], firms: frozenset[str], run: Run
) -> Evaluation:
    # A test firm is held out of every cohort, though it be tested at some dates only.
    known = history.as_of(evidence_day(history))
    held = frozenset(known.split_groups(np.array(sorted(firms), dtype=object)))
    days = yearly(max(test.as_of for test in tests), history)
    days = sorted({*days, *(t.as_of for t in tests)}, reverse=True)
    parts = without(cohorts(history, task, days, evidence_day(history)), held)
    if not parts:
        raise NotAvailable(
            f"No firm is left to train {task.name} on outside the groups of the test firms.",
            "Give fewer test firms.",
        )
    origin = Origin(tests[0].as_of, history.head)
    trained = fitted(task, parts, origin, run, Known(known, held))
    return Evaluation(task, "by firm", tuple(scored(parts, trained, test) for test in tests))


def without(parts: list[Cohort], groups: frozenset[str]) -> list[Cohort]:
    kept = [part.kept(~np.isin(part.groups.astype(str), sorted(groups))) for part in parts]
    return [part for part in kept if len(part.index)]


@dataclass(frozen=True)
class Known:
    """What the ladder's other tiers may be asked of: a panel, without the groups that are held."""

    evidence: Panel
    held: frozenset[str] = frozenset()


def fitted(
    task: Task, parts: list[Cohort], origin: Origin, run: Run, known: Known | None = None
) -> tuple[Trained, Examples]:
    """Learn from ``parts`` and, where ``known`` says what of them, from their kin."""
    if not parts:
        raise NotAvailable(
            f"{task.name} has no labelled firm outside the groups of the tested ones that was known"
            f" before {origin.as_of}.",
            "Choose a later test date, or give --test-firms to split by firm instead of by time.",
        )
    profile = fitted_profile(task, parts, origin.as_of)
    rows = examples(task, parts, profile)
    both_classes(task, rows.label)
    if known is not None:
        rows = with_kin(rows, parts, profile, known.evidence, known.held)
    return learn(rows, parts, profile, origin, run), rows


def scored(parts: list[Cohort], trained: tuple[Trained, Examples], test: Cohort) -> Tested:
    model, rows = trained
    values = matrix(test, model.profile).values
    values = blanked(model.task, model.profile.specs, values, test.as_of)
    score = model.model.scores(values)
    low, high = model.calibration.interval(score)
    return Tested(
        test.as_of,
        test.firm_ids,
        test.groups,
        test.label,
        score,
        model.calibration.probability(score),
        low,
        high,
        {
            name: rival(rows.values, rows.label, values, model.seed)
            for name, rival in BASELINES.items()
        },
        {
            "cohorts": [part.as_of.isoformat() for part in parts],
            "n": len(rows.label),
            "positives": int(rows.label.sum()),
            "editions": model.report["editions"],
            "statements": [
                said.as_json()
                for said in statements(model.task, model.report, test.seen.cube.panel)
            ],
            "recipe": model.recipe.name,
            "length": model.report["length"],
        },
        test.edition,
    )
