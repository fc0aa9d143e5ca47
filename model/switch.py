"""The back-test of a change of edition: what a model that never saw it was worth after it.

*Before* learned from windows that had closed when the edition had decided nothing yet; *after*
learned from those and from outcomes under the edition too. Both score the same firms at dates whose
windows brought outcomes under it; outcomes that another edition decided are left out. The first
windows after a switch have no earlier ones to learn from, so *after* knows the outcomes of other
firms in the tested windows: firms are dealt into folds by split group, and no model knows what
became of a firm that it scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from features.expr import Array
from features.panel import History
from model import metrics
from model.editions import year_of
from model.evaluated import Tested, both, over_dates, together
from model.evaluation import Known, evidence_day, fitted, scored, without
from model.examples import Cohort, cohorts, yearly
from model.folds import grouped
from model.tasks import Task
from model.training import Origin, Run
from tidu.clock import add_months
from tidu.errors import NotAvailable, UsageError

__all__ = ["Switch", "back_test"]

FOLDS = 3
RESAMPLES = 200


@dataclass(frozen=True)
class Switch:
    """Test dates under ``edition`` as both models scored them, in the same order of firms."""

    task: Task
    edition: str
    eve: date
    before: tuple[Tested, ...]
    after: tuple[Tested, ...]

    def as_json(self) -> dict[str, object]:
        """Metrics of both, and what is gained by having seen the edition, with a 95 % interval."""
        return {
            "edition": self.edition,
            "eve": self.eve.isoformat(),
            "positives": int(sum(t.label.sum() for t in self.before)),
            "dates": [
                {
                    "as_of": old.as_of.isoformat(),
                    "n": len(old.label),
                    "positives": int(old.label.sum()),
                    "before": old.trained_on,
                    "after": new.trained_on,
                }
                for old, new in zip(self.before, self.after, strict=True)
            ],
            "before": over_dates(self.before, lambda t: t.score),
            "after": over_dates(self.after, lambda t: t.score),
            "gain": {"ap": _gain(self.before, self.after)},
        }


def back_test(
    history: History,
    task: Task,
    edition: str,
    last: date | None = None,
    run: Run = Run(),  # noqa: B008 - frozen
) -> Switch:
    """Test the switch to ``edition`` at yearly dates up to ``last``, by default the last one known.

    Raises :class:`UsageError` for a task without a title, :class:`NotAvailable` where the edition
    has decided nothing, where nothing was decided before it, or where a date has one outcome only.
    """
    if not task.tier:
        raise UsageError(
            f"A switch of edition is of titles; {task.name} has none.",
            "Write for example promotion:little_giant.",
        )
    name, known_by = year_of(edition), evidence_day(history)
    newest = last or add_months(known_by, -task.months)
    parts = cohorts(history, task, yearly(newest, history), known_by)
    tests = [test for part in parts if both((test := _under(part, name)).label)]
    decided = sorted(part.as_of for part in parts if (part.edition == name).any())
    if not tests:
        seen = sorted({str(e) for part in parts for e in part.edition if e})
        raise NotAvailable(
            f"No test date of {task.name} up to {newest} has outcomes under the edition {name} and"
            f" firms without; editions found: {', '.join(seen) or 'none'}.",
            "Name one of them, or import newer titles with rule_edition.",
        )
    eve = decided[0]
    old = [part for part in parts if add_months(part.as_of, task.months) <= eve]
    if not old:
        raise NotAvailable(
            f"{task.name} has no window that had closed by {eve}, before {name} decided anything.",
            "Import titles of earlier years.",
        )
    tests.sort(key=lambda test: test.as_of)
    unseen = fitted(task, old, Origin(eve, history.head), run, Known(history.as_of(eve)))
    before: list[Tested] = []
    after: list[Tested] = []
    for test in tests:
        run.progress("switch of edition", len(before), len(tests))
        before.append(_in_folds(scored(old, unseen, test), _fold(test, run)))
        after.append(_after(history, task, parts, test, run))
    return Switch(task, name, eve, tuple(before), tuple(after))


def _after(history: History, task: Task, parts: list[Cohort], test: Cohort, run: Run) -> Tested:
    """Score a test by models of all outcomes up to the end of its window, but those of its firms.

    What had ended by the test's own day is known of every firm: a model in use would know it, too.
    """
    origin = Origin(add_months(test.as_of, task.months), history.head)
    ends = {part.as_of: add_months(part.as_of, task.months) for part in parts}
    ended = [part for part in parts if ends[part.as_of] <= test.as_of]
    since = [part for part in parts if part.as_of <= test.as_of < ends[part.as_of]]
    evidence, fold = history.as_of(origin.as_of), _fold(test, run)
    pieces = []
    for i in np.unique(fold):
        chosen = test.kept(fold == i)
        held = frozenset(chosen.groups)
        learned = [*without(since, held), *ended]
        trained = fitted(task, learned, origin, run, Known(evidence, held))
        pieces.append(scored(learned, trained, chosen))
    whole = together(pieces)
    order = np.argsort(whole.firm_ids.astype(str), kind="stable")
    return _in_folds(whole.kept(order), fold)


def _fold(test: Cohort, run: Run) -> Array:
    return grouped(test.groups, test.label, FOLDS, run.seed)


def _under(part: Cohort, edition: str) -> Cohort:
    """A cohort without the outcomes that another edition decided."""
    return part.kept((part.label == 0) | (part.edition == edition))


def _in_folds(tested: Tested, fold: Array) -> Tested:
    """Scores as places within each fold: those of several models have no common level."""
    score = np.empty(len(fold))
    for i in np.unique(fold):
        own = np.flatnonzero(fold == i)
        values = np.sort(tested.score[own])
        below = np.searchsorted(values, tested.score[own], "left")
        above = np.searchsorted(values, tested.score[own], "right")
        score[own] = (below + above) / (2.0 * len(own))
    return replace(tested, score=score)


def _gain(before: Sequence[Tested], after: Sequence[Tested]) -> dict[str, float | None]:
    """Average precision of *after* less that of *before*, resampling split groups together."""
    names = np.unique(np.concatenate([t.groups for t in before]).astype(str))
    places = [np.searchsorted(names, t.groups.astype(str)) for t in before]
    rng, found = np.random.default_rng(0), []
    for draw in range(RESAMPLES + 1):
        times = np.ones(len(names), dtype=np.int64)
        if draw:
            times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        parts = [
            _difference(old, new, np.repeat(np.arange(len(place)), times[place]))
            for old, new, place in zip(before, after, places, strict=True)
        ]
        weight = sum(n for n, _ in parts)
        if weight:
            found.append(sum(n * gain for n, gain in parts) / weight)
    low, high = np.quantile(found[1:], [0.025, 0.975]).tolist() if found[1:] else (None, None)
    return {"value": float(found[0]), "low": low, "high": high}


def _difference(old: Tested, new: Tested, rows: Array) -> tuple[float, float]:
    label = old.label[rows]
    if not both(label):
        return 0.0, 0.0
    found = [metrics.average_precision(label, t.score[rows]) for t in (new, old)]
    return float(label.sum()), found[0] - found[1]
