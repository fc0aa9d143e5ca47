"""Choosing a recipe by evidence, and the out-of-fold scores that calibration stands on.

Where 30 positives stand before and on the newest cohort date, recipes learn from the earlier dates
and are judged on the newest; else on folds of firms. The best mean of average precision and
precision@50 wins; a recipe with more trees must be ahead, not level. What few positives say of a
recipe is mostly luck, so a recipe that borrows from the ladder starts ahead, by ``AHEAD`` over the
root of the positives that judge: a tier is learned alone where its own evidence asks for it.
Kin that may teach: cohorts before the date that judges, firms outside the fold that judges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.expr import Array
from model import metrics
from model.boosters import Additive
from model.examples import Examples
from model.folds import grouped
from model.recipes import Recipe, fit

__all__ = ["Choice", "choose", "learn_on", "out_of_fold"]

FOLDS = 5
# With many examples two thirds of them teach nearly as much as four fifths, for half the fits.
MANY = 5000
FOLDS_OF_MANY = 3
FEWEST = 30
TOP = 50
AHEAD = 0.5
LUCK = 0.25
"""Over the root of the positives that judge: how far one recipe's merit moves with other outcomes
against another's. With 50, two recipes whose first fifty differ in eight firms move by about 0.05.
"""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Choice:
    """The chosen recipe, what each recipe reached, and out-of-fold scores of every example.

    ``merits`` are what was compared, a recipe each; ``doubt`` is how far luck moves one of them.
    """

    recipe: Recipe
    evidence: str
    reached: dict[str, dict[str, float]]
    scores: Array
    merits: tuple[tuple[Recipe, float], ...]
    doubt: float

    def again(self, rng: np.random.Generator) -> Recipe:
        """A recipe that a new draw of outcomes might have chosen: merits moved by luck."""
        luck = self.doubt * rng.standard_normal(len(self.merits))
        return max(zip(self.merits, luck, strict=True), key=lambda m: m[0][1] + m[1])[0][0]


def choose(
    rows: Examples,
    directions: tuple[int, ...],
    recipes: Sequence[Recipe],
    seed: int,
    progress: Progress,
) -> Choice:
    """Choose among ``recipes``; ``directions`` are per feature, on the label."""
    earlier = _earlier(rows)
    held: dict[str, Array] = {}
    judging = float(rows.label.sum() if earlier is None else rows.label[~earlier].sum())
    if earlier is None:
        for i, recipe in enumerate(recipes):
            held[recipe.name] = out_of_fold(rows, directions, recipe, seed, progress)
            progress("recipes compared", i + 1, len(recipes))
        reached = {name: _reached(rows, score, rows.dates) for name, score in held.items()}
        evidence = "folds of firms"
    else:
        reached = {}
        newest, past = rows.rows(~earlier), _before_newest(rows, earlier)
        for i, recipe in enumerate(recipes):
            model = learn_on(past, directions, recipe, seed)
            reached[recipe.name] = _reached(newest, model.scores(newest.values), newest.dates)
            progress("recipes compared", i + 1, len(recipes))
        evidence = "out of time"
    ahead = {r.name: AHEAD / np.sqrt(judging) if r.kin else 0.0 for r in recipes}
    merit = {r.name: sum(reached[r.name].values()) + ahead[r.name] for r in recipes}
    best = max(recipes, key=lambda r: (merit[r.name], -r.trees))
    scores = held.get(best.name)
    if scores is None:
        scores = out_of_fold(rows, directions, best, seed, progress)
    merits = tuple((recipe, merit[recipe.name]) for recipe in recipes)
    return Choice(best, evidence, reached, scores, merits, LUCK / np.sqrt(judging))


def learn_on(rows: Examples, directions: tuple[int, ...], recipe: Recipe, seed: int) -> Additive:
    """Fit one recipe on examples."""
    return fit(rows.values, rows.label, rows.names, directions, recipe, seed, kin=rows.kin)


def out_of_fold(
    rows: Examples, directions: tuple[int, ...], recipe: Recipe, seed: int, progress: Progress
) -> Array:
    """Scores of every example by models that never saw its firm."""
    positives = int(rows.label.sum())
    teaching = len(rows.label) + (len(rows.kin.label) if rows.kin is not None else 0)
    most = FOLDS if teaching < MANY else FOLDS_OF_MANY
    k = max(2, min(most, positives, len(rows.label) - positives))
    fold = grouped(rows.groups, rows.label, k, seed)
    score = np.zeros(len(rows.label))
    for i in range(k):
        progress("out-of-fold scores", i, k)
        inside = fold != i
        if len(np.unique(rows.label[inside])) < 2:
            continue  # a fold whose remainder holds one class keeps the neutral score 0
        model = learn_on(_outside(rows, inside), directions, recipe, seed)
        score[~inside] = model.scores(rows.values[~inside])
    progress("out-of-fold scores", k, k)
    return score


def _before_newest(rows: Examples, earlier: Array) -> Examples:
    kin = rows.kin.before(rows.dates.max()) if rows.kin is not None else None
    return replace(rows.rows(earlier), kin=kin)


def _outside(rows: Examples, inside: Array) -> Examples:
    """Rows inside, and kin of no firm outside."""
    kin = rows.kin.without(rows.groups[~inside]) if rows.kin is not None else None
    return replace(rows.rows(inside), kin=kin)


def _earlier(rows: Examples) -> Array | None:
    """Examples before the newest date, where both sides hold enough of both outcomes."""
    earlier = np.asarray(rows.dates < rows.dates.max())
    for side in (rows.label[earlier], rows.label[~earlier]):
        if side.sum() < FEWEST or (1 - side).sum() < FEWEST:
            return None
    return earlier


def _reached(rows: Examples, score: Array, dates: Array) -> dict[str, float]:
    """Means over dates, weighted by positives."""
    parts = []
    for day in np.unique(dates):
        here = dates == day
        label = rows.label[here]
        if label.sum():
            found = (
                metrics.average_precision(label, score[here]),
                metrics.precision_at(label, score[here], TOP),
            )
            parts.append((float(label.sum()), *found))
    weight, ap, precision = np.array(parts).T
    return {
        "ap": float(np.average(ap, weights=weight)),
        f"p_at_{TOP}": float(np.average(precision, weights=weight)),
    }
