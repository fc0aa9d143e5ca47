"""Evaluation: what a model trained then would have been worth later, beside simple rivals.

Out of time, each test date is scored by a model trained on what was known by that date. With test
firms given, models learn from all firms outside their split groups instead, and dates may
coincide. Row labels may be a status that stays, so no model may know the firm: firms are dealt into
folds, and each fold is scored by a model of earlier rows of the other firms. Metrics are of one
list a date, averaged with the dates' positives as weights, so that a model is never rewarded for
telling years apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from features.expr import Array
from features.panel import History
from model import metrics
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
from model.fairness_report import Ranked, fairness
from model.folds import grouped
from model.recall import Length, realised
from model.rivals import BASELINES
from model.tasks import Task
from model.training import Origin, Run, Trained, learn, training_cohorts
from tidu.errors import NotAvailable

__all__ = ["Evaluation", "Tested", "evaluate", "evidence_day"]

RESAMPLES = 200
FOLDS = 5
ARRAYS = ("firm_ids", "groups", "label", "score", "probability", "p_low", "p_high")


@dataclass(frozen=True)
class Tested:
    """One test date: labels, scores and probabilities of its cohort, and the baselines' scores."""

    as_of: date
    firm_ids: Array
    groups: Array
    label: Array
    score: Array
    probability: Array
    p_low: Array
    p_high: Array
    baselines: Mapping[str, Array]
    trained_on: Mapping[str, object]
    compared_by: Mapping[str, Array] = field(default_factory=dict)
    """The groups of fairness checks by dimension, one a firm."""

    def ranked(self) -> Ranked:
        """The list of this date as fairness looks at it."""
        return Ranked(self.firm_ids, self.score, self.probability, self.label, self.compared_by)

    def length(self) -> dict[str, object] | None:
        """How long a list the training promised for 90 % of outcomes, and what it came to hold."""
        promised = self.trained_on.get("length")
        if not isinstance(promised, Mapping):
            return None  # folds of one date are ranked by several models
        return realised(Length.from_json(promised), self.score, self.label)


@dataclass(frozen=True)
class Evaluation:
    """All test dates of one evaluation."""

    task: Task
    split: str
    tested: tuple[Tested, ...]

    def as_json(self) -> dict[str, object]:
        """``{"metrics", "baselines", "n", "positives", …}`` with intervals and test dates."""
        label, groups = _joined(self.tested, "label"), _joined(self.tested, "groups")
        return {
            "task": str(self.task.name),
            "split": self.split,
            "metrics": _over_dates(self.tested, lambda t: t.score, with_probability=True),
            "intervals": _intervals(self.tested, groups),
            "baselines": {
                name: _over_dates(self.tested, lambda t, n=name: t.baselines[n])  # type: ignore[misc]
                for name in self.tested[0].baselines
            },
            "calibration": metrics.reliability(label, _joined(self.tested, "probability")),
            "fairness": fairness([t.ranked() for t in self.tested]),
            "ties": "expectation over all orders of tied firms",
            "n": len(label),
            "positives": int(label.sum()),
            "dates": [
                {
                    "as_of": t.as_of.isoformat(),
                    "n": len(t.label),
                    "positives": int(t.label.sum()),
                    "length": t.length(),
                    "training": t.trained_on,
                }
                for t in self.tested
            ],
        }


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
            found.append(_scored(parts, _trained(task, parts, origin, run), test))
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
        others = _without(parts, frozenset(chosen.groups))
        pieces.append(_scored(others, _trained(task, others, origin, run), chosen))
    return _together(pieces)


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
    if not any(_both(t.label) for t in tests):
        found = ", ".join(f"{int(t.label.sum())} of {len(t.label)} on {t.as_of}" for t in tests)
        raise NotAvailable(
            f"An evaluation of {task.name} needs a test date with both outcomes; found positives"
            f" {found}.",
            "Add test dates or test firms.",
        )
    return tests


def _both(label: Array) -> bool:
    return bool(0 < label.sum() < len(label))


def _by_firms(
    history: History, task: Task, tests: list[Cohort], firms: frozenset[str], run: Run
) -> Evaluation:
    # A test firm is held out of every cohort, though it be tested at some dates only.
    known = history.as_of(evidence_day(history))
    held = frozenset(known.split_groups(np.array(sorted(firms), dtype=object)))
    days = yearly(max(test.as_of for test in tests), history)
    days = sorted({*days, *(t.as_of for t in tests)}, reverse=True)
    parts = _without(cohorts(history, task, days, evidence_day(history)), held)
    if not parts:
        raise NotAvailable(
            f"No firm is left to train {task.name} on outside the groups of the test firms.",
            "Give fewer test firms.",
        )
    trained = _trained(task, parts, Origin(tests[0].as_of, history.head), run)
    return Evaluation(task, "by firm", tuple(_scored(parts, trained, test) for test in tests))


def _without(parts: list[Cohort], groups: frozenset[str]) -> list[Cohort]:
    kept = [part.kept(~np.isin(part.groups.astype(str), sorted(groups))) for part in parts]
    return [part for part in kept if len(part.index)]


def _trained(task: Task, parts: list[Cohort], origin: Origin, run: Run) -> tuple[Trained, Examples]:
    if not parts:
        raise NotAvailable(
            f"{task.name} has no labelled firm outside the groups of the tested ones that was known"
            f" before {origin.as_of}.",
            "Choose a later test date, or give --test-firms to split by firm instead of by time.",
        )
    profile = fitted_profile(task, parts, origin.as_of)
    rows = examples(task, parts, profile)
    both_classes(task, rows.label)
    return learn(rows, parts, profile, origin, run), rows


def _scored(parts: list[Cohort], trained: tuple[Trained, Examples], test: Cohort) -> Tested:
    model, rows = trained
    values = matrix(test, model.profile).values
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
            "recipe": model.recipe.name,
            "length": model.report["length"],
        },
    )


def _together(pieces: Sequence[Tested]) -> Tested:
    """The folds of one test date as one list."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    whole: dict[str, Any] = {name: _joined(pieces, name) for name in ARRAYS}
    return Tested(
        as_of=first.as_of,
        baselines={b: np.concatenate([p.baselines[b] for p in pieces]) for b in first.baselines},
        trained_on={**first.trained_on, "length": None, "folds": [p.trained_on for p in pieces]},
        **whole,
    )


def _joined(tested: Sequence[Tested], name: str) -> Array:
    return np.concatenate([getattr(t, name) for t in tested])


def _over_dates(
    tested: Sequence[Tested], score: Callable[[Tested], Array], with_probability: bool = False
) -> dict[str, object]:
    parts = [
        (float(t.label.sum()), metrics.summary(t.label, score(t)))
        for t in tested
        if _both(t.label)  # one outcome alone is no order
    ]
    result = metrics.combined(parts)
    if with_probability:
        label, probability = _joined(tested, "label"), _joined(tested, "probability")
        result["brier"] = metrics.brier(label, probability)
        result["ece"] = metrics.calibration_error(label, probability)
    return result


def _intervals(tested: Sequence[Tested], groups: Array) -> dict[str, list[float]]:
    """95 % bootstrap intervals of AUC and AP, resampling split groups (firms)."""
    names = np.unique(groups.astype(str))
    place = [np.searchsorted(names, t.groups.astype(str)) for t in tested]
    rng = np.random.default_rng(0)
    draws: dict[str, list[float]] = {"auc": [], "ap": []}
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        found = []
        for t, index in zip(tested, place, strict=True):
            row = np.repeat(np.arange(len(index)), times[index])
            label = t.label[row]
            if _both(label):
                auc = metrics.auc(label, t.score[row])
                found.append((label.sum(), auc, metrics.average_precision(label, t.score[row])))
        if found:
            weight, auc_values, ap_values = np.array(found).T
            draws["auc"].append(float(np.average(auc_values, weights=weight)))
            draws["ap"].append(float(np.average(ap_values, weights=weight)))
    return {
        name: [float(q) for q in np.quantile(values, [0.025, 0.975])]
        for name, values in draws.items()
        if values
    }
