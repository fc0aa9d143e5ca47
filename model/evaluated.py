"""What an evaluation found: test dates with scores and outcomes, and the sections of its report.

Metrics are of one list a date, averaged with the dates' positives as weights, so that a model is
never rewarded for telling years apart. To add a section, add a function of an evaluation and its
line in :data:`SECTIONS`; its place on the page is in ``report.html``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from features.expr import Array
from model import metrics
from model.editions import NONE, counted
from model.fairness_report import Ranked, fairness
from model.recall import Length, length, realised, shares
from model.tasks import Task

__all__ = ["SECTIONS", "Evaluation", "Tested", "both", "joined", "over_dates", "together"]

RESAMPLES = 200
ARRAYS = ("firm_ids", "groups", "label", "score", "probability", "p_low", "p_high", "edition")


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
    edition: Array
    """The edition that decided each outcome, "" where there is none."""
    compared_by: Mapping[str, Array] = field(default_factory=dict)
    """The groups of fairness checks by dimension, one a firm."""

    def kept(self, mask: Array) -> Tested:
        """The same of some firms."""
        arrays: dict[str, Any] = {name: getattr(self, name)[mask] for name in ARRAYS}
        by = {name: groups[mask] for name, groups in self.compared_by.items()}
        baselines = {name: score[mask] for name, score in self.baselines.items()}
        return replace(self, baselines=baselines, compared_by=by, **arrays)

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
    switched: Mapping[str, object] | None = None
    """The back-test of a change of edition, where one was asked for."""

    def as_json(self) -> dict[str, object]:
        """``{"metrics", "baselines", "n", "positives", …}`` with intervals and test dates."""
        label, groups = joined(self.tested, "label"), joined(self.tested, "groups")
        return {
            "task": str(self.task.name),
            "split": self.split,
            "metrics": over_dates(self.tested, lambda t: t.score, with_probability=True),
            "intervals": _intervals(self.tested, groups),
            "baselines": {
                name: over_dates(self.tested, lambda t, n=name: t.baselines[n])  # type: ignore[misc]
                for name in self.tested[0].baselines
            },
            "calibration": metrics.reliability(label, joined(self.tested, "probability")),
            **{name: section(self) for name, section in SECTIONS.items()},
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


def by_edition(found: Evaluation) -> dict[str, object]:
    """Per edition: the lists with its outcomes alone as positives; empty without a title.

    Outcomes that another edition decided are left out, for they are no misses of this one.
    """
    if not found.task.tier:
        return {}
    label, edition = joined(found.tested, "label"), joined(found.tested, "edition")
    result: dict[str, object] = {}
    for name, positives in counted(edition, label).items():
        own = "" if name == NONE else name
        kept = [t.kept((t.label == 0) | (t.edition == own)) for t in found.tested]
        shown = [t for t in kept if both(t.label)]
        result[name] = {
            "positives": positives,
            "dates": [t.as_of.isoformat() for t in shown],
            "metrics": over_dates(shown, lambda t: t.score) if shown else None,
        }
    return result


def list_length(found: Evaluation) -> dict[str, object]:
    """The share of next year's cohort that is to hold 90 % of its outcomes, by the test dates.

    Every test date counts with its own list; its scores are out of time, or of strangers.
    """
    dates = np.concatenate([np.full(len(t.label), i) for i, t in enumerate(found.tested)])
    score, label = joined(found.tested, "score"), joined(found.tested, "label")
    return length(shares(score, label, dates)).as_json()


SECTIONS: dict[str, Callable[[Evaluation], object]] = {
    "editions": by_edition,
    "length": list_length,
    "switch": lambda found: found.switched,
    "fairness": lambda found: fairness([t.ranked() for t in found.tested]),
}
"""Further parts of a report by name, each a value that JSON can hold."""


def both(label: Array) -> bool:
    return bool(0 < label.sum() < len(label))


def together(pieces: Sequence[Tested]) -> Tested:
    """The folds of one test date as one list."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    whole: dict[str, Any] = {name: joined(pieces, name) for name in ARRAYS}
    return Tested(
        as_of=first.as_of,
        baselines={b: np.concatenate([p.baselines[b] for p in pieces]) for b in first.baselines},
        trained_on={**first.trained_on, "length": None, "folds": [p.trained_on for p in pieces]},
        **whole,
    )


def joined(tested: Sequence[Tested], name: str) -> Array:
    return np.concatenate([getattr(t, name) for t in tested])


def over_dates(
    tested: Sequence[Tested], score: Callable[[Tested], Array], with_probability: bool = False
) -> dict[str, object]:
    parts = [
        (float(t.label.sum()), metrics.summary(t.label, score(t)))
        for t in tested
        if both(t.label)  # one outcome alone is no order
    ]
    result = metrics.combined(parts)
    if with_probability:
        label, probability = joined(tested, "label"), joined(tested, "probability")
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
            if both(label):
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
