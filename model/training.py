"""Training: from a history and a date to everything a bundle stores.

Cohorts stand a year apart, back from the training date; a label enters only if its window had
closed and its evidence was known by that date. Probabilities are calibrated on out-of-fold scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import compress

import numpy as np

from features.expr import Array
from features.panel import History
from features.profile import Profile
from model import metrics
from model.boosters import Additive
from model.calibration import Calibration, calibrate
from model.examples import (
    Cohort,
    Examples,
    both_classes,
    cohort_at,
    cohorts,
    editions_of,
    examples,
    fitted_profile,
    matrix,
    yearly,
)
from model.folds import grouped
from model.kin import Kin
from model.ladder import borrowed, with_kin
from model.rank_law import RankLaw, rank_law
from model.recall import length, shares
from model.recipes import BORROWING, RECIPES, Recipe
from model.selection import Choice, choose, learn_on
from model.tasks import Task
from tidu import digest
from tidu.clock import add_months
from tidu.errors import NotAvailable

__all__ = [
    "REDRAWS",
    "Origin",
    "Progress",
    "Run",
    "Trained",
    "learn",
    "matured",
    "silent",
    "train",
    "training_cohorts",
    "with_rank_law",
]

PROBE_ROWS = 32
REDRAWS = 6
"""Fits to outcomes drawn anew, as a served bundle has them: 30 pairs for the rank law."""
SPLITS = 2
"""Of the firms into halves, for how far two rankings agree."""
FEWEST_RANKED = 20
FEWEST_POSITIVES = 10

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""


def silent(what: str, done: int, of: int) -> None:
    """A progress that says nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a training is run: its seed, who is told of its progress, how often outcomes are redrawn.

    Without redraws the rank law is unknown. Each costs one more fit of the chosen recipe.
    """

    seed: int = 0
    progress: Progress = silent
    redraws: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """What a training stands on: the day, and the vault head behind it."""

    as_of: date
    head: str


@dataclass(frozen=True)
class Trained:
    """A trained task: what a bundle stores. ``probe`` are training rows to check a load with.

    ``held`` are the out-of-fold scores of the training rows: not stored, what the calibration and
    the rank law stand on.
    """

    task: Task
    as_of: date
    head: str
    seed: int
    data_digest: str
    recipe: Recipe
    profile: Profile
    model: Additive
    calibration: Calibration
    probe: Array
    held: Array
    report: dict[str, object] = field(default_factory=dict)
    rank_law: RankLaw | None = None
    choice: Choice | None = None
    """How the recipe was chosen; not stored."""


def train(history: History, task: Task, day: date, run: Run = Run()) -> Trained:
    """Train ``task`` on what was known by the end of ``day``."""
    run.progress("cohorts", 0, 1)
    parts = training_cohorts(history, task, day)
    profile = fitted_profile(task, parts, day)
    rows = examples(task, parts, profile)
    rows = with_kin(rows, parts, profile, history.as_of(day))
    run.progress("cohorts", 1, 1)
    trained = learn(rows, parts, profile, Origin(day, history.head), run)
    if not run.redraws:
        return trained
    asked = cohort_at(history, task, day)
    return with_rank_law(trained, rows, asked.kept(asked.fresh), run)


def with_rank_law(trained: Trained, rows: Examples, asked: Cohort, run: Run) -> Trained:
    """Add how far places among ``asked`` move; unknown where there are too few to say.

    ``rows`` are what ``trained`` learned from. Labels are drawn from its out-of-fold chances and
    a recipe that might then have been chosen is fitted to each (:mod:`model.rank_law`).
    """
    chance = trained.calibration.probability(trained.held)
    fewest = min(chance.sum(), len(chance) - chance.sum())
    few = len(asked.index) < FEWEST_RANKED or fewest < FEWEST_POSITIVES
    # Rows that carry their own labels are ranked by a model that has seen them.
    seen = asked.seen.cube.panel.outcome_task == rows.task.name.name
    if run.redraws < 2 or few or seen:
        return trained
    values = matrix(asked, trained.profile).values
    directions = _directions(rows.task, trained.profile)
    rng = np.random.default_rng(run.seed)
    scores = []
    for i in range(run.redraws):
        run.progress("outcomes drawn anew", i, run.redraws)
        label = (rng.random(len(chance)) < chance).astype("float64")
        drawn = replace(rows, label=label, kin=rows.kin.drawn(rng) if rows.kin else None)
        recipe = _again(trained, float(rows.label.sum()), rng)
        scores.append(learn_on(drawn, directions, recipe, run.seed).scores(values))
    run.progress("outcomes drawn anew", run.redraws, run.redraws)
    halves = [_halves(rows, trained, values, rng) for _ in range(SPLITS)]
    return replace(trained, rank_law=rank_law(scores, halves))


def _again(trained: Trained, positives: float, rng: np.random.Generator) -> Recipe:
    """A recipe that new outcomes might have chosen, its line as heavy as with all ``positives``."""
    recipe = trained.choice.again(rng) if trained.choice else trained.recipe
    return recipe.settled(positives)


def _halves(
    rows: Examples, trained: Trained, values: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Scores by models of disjoint halves of the firms."""
    seed = int(rng.integers(1000))
    side = grouped(rows.groups, rows.label, 2, seed)
    directions = _directions(rows.task, trained.profile)
    kin = (None, None) if rows.kin is None else rows.kin.halves(rows.groups, side, seed)
    parts = [replace(rows.rows(side == i), kin=kin[i]) for i in (0, 1)]
    recipes = (_again(trained, float(rows.label.sum()), rng).halved() for _ in parts)
    fits = (
        learn_on(part, directions, recipe, seed)
        for part, recipe in zip(parts, recipes, strict=True)
    )
    one, other = (fit.scores(values) for fit in fits)
    return one, other


def _directions(task: Task, profile: Profile) -> tuple[int, ...]:
    """A direction says what is good for the firm; the label may be something bad."""
    return tuple(spec.direction * task.sense for spec in profile.specs)


def training_cohorts(history: History, task: Task, day: date) -> list[Cohort]:
    """Cohorts at ``day``, a year before, … with labels matured by ``day``; at least one."""
    evidence = history.as_of(day)
    days = [d for d in yearly(day, history) if matured(task, d, day, evidence.outcome_task)]
    parts = cohorts(history, task, days, day)
    if not parts:
        raise NotAvailable(
            f"{task.name} needs a cohort whose outcomes were known by {day}; found none.",
            "Choose a later --as-of or a shorter horizon, import more years, or evaluate by firm"
            " (--test-firms).",
        )
    return parts


def matured(task: Task, start: date, known_by: date, outcome_task: str | None) -> bool:
    """Whether a window opened at ``start`` had closed by ``known_by``; row labels have none."""
    return outcome_task == task.name.name or add_months(start, task.months) <= known_by


def learn(
    rows: Examples,
    parts: list[Cohort],
    profile: Profile,
    origin: Origin,
    run: Run,
) -> Trained:
    """Fit and calibrate on prepared examples."""
    both_classes(rows.task, rows.label)
    directions = _directions(rows.task, profile)
    recipes = RECIPES if rows.kin is None else (*RECIPES, *BORROWING)
    choice = choose(rows, directions, recipes, run.seed, run.progress)
    ahead = rows.task.months / 12
    calibration = calibrate(choice.scores, rows.label, rows.groups, rows.dates, ahead)
    run.progress("final fit", 0, 1)
    model = learn_on(rows, directions, choice.recipe, run.seed)
    run.progress("final fit", 1, 1)
    return Trained(
        rows.task,
        origin.as_of,
        origin.head,
        run.seed,
        _data_digest(rows),
        choice.recipe,
        profile,
        model,
        calibration,
        _probe(rows.values),
        choice.scores,
        _report(rows, parts, choice, calibration),
        choice=choice,
    )


def _data_digest(rows: Examples) -> str:
    """What was learned from: profiles, labels and dates, so equal data give equal bundles."""
    parts = _digests(rows)
    if rows.kin is not None:
        place = digest.of_bytes(np.asarray(rows.kin.place, dtype="int64").tobytes())
        parts |= {f"kin {name}": text for name, text in _digests(rows.kin).items()}
        parts["kin place"] = place
    return digest.of_parts(parts)


def _digests(rows: Examples | Kin) -> dict[str, str]:
    return {
        "values": digest.of_bytes(np.ascontiguousarray(rows.values).tobytes()),
        "label": digest.of_bytes(rows.label.tobytes()),
        "dates": digest.of_bytes(rows.dates.astype("datetime64[D]").astype("int64").tobytes()),
        "groups": digest.of_json([str(g) for g in rows.groups]),
    }


def _probe(values: Array) -> Array:
    """Rows spread over the training set."""
    index = np.unique(np.linspace(0, len(values) - 1, PROBE_ROWS).astype(int))
    return np.ascontiguousarray(values[index])


def _report(
    rows: Examples, parts: list[Cohort], choice: Choice, calibration: Calibration
) -> dict[str, object]:
    found = metrics.summary(rows.label, choice.scores, calibration.probability(choice.scores))
    return {
        "n": len(rows.label),
        "positives": int(rows.label.sum()),
        "base_rate": float(rows.label.mean()),
        "cohorts": [
            {"as_of": c.as_of.isoformat(), "n": len(c.index), "positives": int(c.label.sum())}
            for c in parts
        ],
        "editions": editions_of(rows.task, parts),
        "features": len(rows.names),
        "kin": [] if rows.kin is None else borrowed(rows.kin),
        "cited": [] if rows.kin is None else [*compress(rows.names, rows.kin.cited)],
        "recipe": {
            "chosen": choice.recipe.name,
            "evidence": choice.evidence,
            "reached": choice.reached,
        },
        "out_of_fold": found,
        "length": length(shares(choice.scores, rows.label, rows.dates)).as_json(),
    }
