"""Who stands against Tidu where the truth is known, and what each says of the tested firms.

*own* is Tidu as it is trained today, *alone* the tier without its kin; *simple* and *slow* are
rivals, apart by what they cost. Each rival gets Tidu's profile and the raw columns with lags and
differences; its better one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from benchmarks.known_truth_rows import Town, raw
from benchmarks.rivals import RIVALS
from features.profile import Profile
from model.calibration import Calibration
from model.counts import count
from model.examples import Cohort, Examples, examples, fitted_profile, matrix
from model.folds import grouped
from model.metrics import average_precision
from model.recipes import RECIPES
from model.rivals import BASELINES
from model.selection import choose, learn_on
from model.training import Run, silent, train, training_cohorts

__all__ = ["GROUPS", "INPUTS", "Case"]

INPUTS = ("profile", "raw")
SEED = 0
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
FOLDS = 3
TOP = 100
TESTED_TO = date(2026, 6, 30)

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One tier of one city at one date: what to learn from, and whom to order."""

    town: Town
    tier: str
    day: date

    @cached_property
    def tested(self) -> Cohort:
        """Tidu's own cohort at the date, fresh accounts only, with what came of it."""
        return self.town.outcome(self.tier, self.day, TESTED_TO)

    @cached_property
    def parts(self) -> list[Cohort]:
        return training_cohorts(self.town.history, self.town.task(self.tier), self.day)

    @cached_property
    def profile(self) -> Profile:
        return fitted_profile(self.town.task(self.tier), self.parts, self.day)

    @cached_property
    def rows(self) -> Examples:
        return examples(self.town.task(self.tier), self.parts, self.profile)

    @cached_property
    def inputs(self) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """Training and tested values by input."""
        trained = np.concatenate([raw(part.seen)[part.index] for part in self.parts])
        tested = raw(self.tested.seen)[self.tested.index]
        return {
            "profile": (self.rows.values, matrix(self.tested, self.profile).values),
            "raw": (trained, tested),
        }

    def truth(self) -> Scores:
        """What is known of the tested firms, and how much there was to learn from."""
        label = np.concatenate([part.label for part in self.parts])
        return {
            "firm": self.tested.firm_ids.astype(str),
            "hazard": self.town.hazard(self.tier, self.day, self.tested.firm_ids),
            "label": self.tested.label,
            "positives": np.array(int(label.sum())),
            "examples": np.array(len(label)),
        }


def own(case: Case) -> Scores:
    """Tidu as trained today, with its chances."""
    task = case.town.task(case.tier)
    trained = train(case.town.history, task, case.day, Run(SEED))
    score = trained.model.scores(matrix(case.tested, trained.profile).values)
    low, high = trained.calibration.interval(score)
    found = {"tidu": score, "chance": trained.calibration.probability(score)}
    found |= {"low": low, "high": high}
    found["length"] = np.array(_promised(trained.report), dtype="float64")
    return found | {"count": _counted(trained.calibration, score, case.tested.label)}


def _promised(report: Mapping[str, object]) -> float:
    """The share of the cohort that is promised to hold 90 % of the titles; NaN where none is."""
    found = report["length"]
    share = found["share"] if isinstance(found, Mapping) else None
    return float("nan") if share is None else float(share)


def _counted(calibration: Calibration, score: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Expected number of titles, its 90 % range, and what it came to: all firms and the top 100."""
    known = np.flatnonzero(~np.isnan(label))
    best = known[np.argsort(-score[known], kind="stable")][:TOP]
    rows = []
    for chosen in (known, best):
        found = count(calibration, score[chosen])
        rows.append([found.expected, found.low, found.high, label[chosen].sum()])
    return np.array(rows)


def alone(case: Case) -> Scores:
    """The recipes of every task on the tier's own examples, chosen by out-of-time evidence."""
    directions = tuple(spec.direction * case.rows.task.sense for spec in case.profile.specs)
    choice = choose(case.rows, directions, RECIPES, SEED, silent)
    model = learn_on(case.rows, directions, choice.recipe, SEED)
    return {"alone": np.asarray(model.scores(matrix(case.tested, case.profile).values))}


def logistic(case: Case, source: str) -> np.ndarray:
    """Logistic regression, standardised and imputed, its strength chosen on firms held out."""
    from sklearn.linear_model import LogisticRegression

    train_values, test_values = case.inputs[source]
    label, groups = case.rows.label, case.rows.groups
    shaped, tested = _standard(train_values, test_values)
    inside = grouped(groups, label, max(2, min(FOLDS, int(label.sum()))), SEED) != 0

    def reached(strength: float) -> float:
        if len(np.unique(label[inside])) < 2:
            return 0.0
        model = LogisticRegression(C=strength, max_iter=300).fit(shaped[inside], label[inside])
        return average_precision(label[~inside], model.decision_function(shaped[~inside]))

    best = max(STRENGTHS, key=reached)
    model = LogisticRegression(C=best, max_iter=300).fit(shaped, label)
    return np.asarray(model.decision_function(tested))


def _standard(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clipped at the 1 % tails, medians and a flag for the unknown, zero mean and unit spread."""
    train, test = (np.where(np.isfinite(v), v, np.nan) for v in (train, test))
    kept = (~np.isnan(train)).mean(axis=0) > 0.01
    train, test = train[:, kept], test[:, kept]
    low, high = np.nanquantile(train, [0.01, 0.99], axis=0)
    middle, absent = np.nanmedian(train, axis=0), np.isnan(train).mean(axis=0)
    flagged = (absent > 0.01) & (absent < 0.99)

    def shaped(values: np.ndarray) -> np.ndarray:
        unknown = np.isnan(values)
        filled = np.where(unknown, middle, np.clip(values, low, high))
        return np.column_stack([filled, unknown[:, flagged].astype("float64")])

    rows = shaped(train)
    centre, width = rows.mean(axis=0), rows.std(axis=0)
    width[width < 1e-9] = np.inf
    return (rows - centre) / width, (shaped(test) - centre) / width


def _rival(name: str, case: Case, source: str) -> np.ndarray:
    values, tested = case.inputs[source]
    kept = ~np.isnan(values).all(axis=0)
    return RIVALS[name](values[:, kept], case.rows.label, tested[:, kept], SEED)


def simple(case: Case) -> Scores:
    """What takes seconds: logistic regression tuned, the scorecard, the best single ratio."""
    found = {f"{name} profile": _rival(name, case, "profile") for name in BASELINES}
    return found | {"logistic profile": logistic(case, "profile")}


def slow(case: Case) -> Scores:
    """CatBoost, XGBoost and scikit-learn's HGB at their defaults; the baselines on raw columns."""
    names = [name for name in RIVALS if name not in BASELINES]
    found = {f"{n} {source}": _rival(n, case, source) for n in names for source in INPUTS}
    return found | {f"{name} raw": _rival(name, case, "raw") for name in BASELINES}


GROUPS: Mapping[str, Callable[[Case], Scores]] = {
    "own": own,
    "alone": alone,
    "simple": simple,
    "slow": slow,
}
"""Contenders that are measured together, by name."""
