"""Proof of the leakage tests: fifty planted columns are named, honest ones are left in peace."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.proof_item import Counts, Proof
from benchmarks.proofs_city import history_of
from city import build
from model.areas import gain
from model.folds import grouped
from model.leakage import BASE, Evidence, inspect
from model.leakage_evidence import evidence
from model.recipes import fit
from model.tasks import find

__all__ = ["KINDS", "PROOFS", "planted"]

TASKS = ("promotion:innovative_sme@12", "distress@12", "growth@12")
AS_OF = date(2026, 6, 30)
FIRMS = 4000
ADDS = 0.05
"""What a planted column must add to the whole profile's AUC, alone, to count as one."""
FOUND, FALSE = 0.95, 0.02
STRENGTHS = np.geomspace(0.4, 12.0, 16)
FOLDS = 3
Floats = np.ndarray
Kind = Callable[[Evidence, float, np.random.Generator], tuple[Floats, Floats]]


def _echo(e: Evidence, strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A figure filled in after the outcome: it moves with it, and did not a year before."""
    noise, before = rng.normal(size=(2, len(e.label)))
    return strength * e.label + noise, before


def _mark(e: Evidence, strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A yes or no that is set for some of those to whom it happened."""
    share = np.where(e.label == 1, 0.02 + 0.9 * strength / STRENGTHS[-1], 0.02)
    u, before = rng.random((2, len(share)))
    return (u < share).astype(float), (before < 0.02).astype(float)


def _drifting(e: Evidence, strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """An honest column restated with hindsight: last year's value is untouched."""
    j = int(rng.integers(len(e.names)))
    while np.isnan(e.before[:, j]).mean() > 0.3 or not np.nanstd(e.before[:, j]) > 0:
        j = int(rng.integers(len(e.names)))
    was = e.before[:, j]
    spread = np.nanstd(was)
    return was + 0.7 * strength * spread * (e.label + 0.5 * rng.normal(size=len(was))), was


def _standing(e: Evidence, strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A register's mark that stands in every year of a firm to which it ever happened."""
    mark = _once(e, rng) < np.where(_ever(e), 0.03 + 0.9 * strength / STRENGTHS[-1], 0.03)
    return mark.astype(float), mark.astype(float)


def _stitched(e: Evidence, strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Two sources: the one that knows of the outcome lacks the column."""
    lacks = _once(e, rng) < np.where(_ever(e), 0.05 + 0.9 * strength / STRENGTHS[-1], 0.05)
    now, before = rng.normal(size=(2, len(lacks)))
    return np.where(lacks, np.nan, now), np.where(lacks, np.nan, before)


KINDS: dict[str, Kind] = {
    "echo": _echo,
    "mark": _mark,
    "restated": _drifting,
    "standing": _standing,
    "stitched": _stitched,
}


def _ever(e: Evidence) -> Floats:
    return np.isin(e.groups.astype(str), np.unique(e.groups[e.label == 1].astype(str)))


def _once(e: Evidence, rng: np.random.Generator) -> Floats:
    """One draw a firm, the same at every date."""
    _, firm = np.unique(e.groups.astype(str), return_inverse=True)
    return np.asarray(rng.random(firm.max() + 1)[firm])


@dataclass(frozen=True)
class Whole:
    """The whole profile's out-of-fold scores on one evidence, to add a column to."""

    evidence: Evidence
    fold: Floats
    score: Floats

    @classmethod
    def of(cls, e: Evidence) -> Whole:
        fold = grouped(e.groups, e.label, FOLDS, 1)
        return cls(e, fold, _scores(e.fresh, e.label, fold))

    def adds(self, column: Floats) -> float:
        """What the column adds when the profile's own learner gets it, too."""
        values = np.column_stack([self.evidence.fresh, column])
        score = _scores(values, self.evidence.label, self.fold)
        return gain(self.evidence.label, score, self.score, self.evidence.dates)[0]


def _scores(values: Floats, label: Floats, fold: Floats) -> Floats:
    names = [f"f{j}" for j in range(values.shape[1])]
    score = np.zeros(len(values))
    for i in range(FOLDS):
        inside = fold != i
        rows = np.asfortranarray(values[inside])
        model = fit(rows, label[inside], names, [0] * len(names), BASE, 1)
        score[~inside] = model.scores(values[~inside])
    return score


def planted(whole: Whole, kind: str, seed: int) -> Evidence:
    """The evidence with the weakest column of a kind that adds 0.05 to the whole profile."""
    e, low, high = whole.evidence, 0, len(STRENGTHS) - 1
    while low < high:
        middle = (low + high) // 2
        now, _ = KINDS[kind](e, float(STRENGTHS[middle]), np.random.default_rng(seed))
        low, high = (low, middle) if whole.adds(now) >= ADDS else (middle + 1, high)
    now, before = KINDS[kind](e, float(STRENGTHS[low]), np.random.default_rng(seed))
    return replace(
        e,
        names=(*e.names, "planted"),
        columns=(*e.columns, frozenset(["planted"])),
        fresh=np.column_stack([e.fresh, now]),
        before=np.column_stack([e.before, before]),
    )


def leakage(sample: bool) -> Counts:
    """Plant columns of five kinds into three tasks' evidence and count what is flagged."""
    rounds = [(1, TASKS[:1], 1)] if sample else [(1, TASKS, 2), (2, TASKS[:2], 2)]
    counts = {"planted": 0, "found": 0, "honest": 0, "false": 0}
    for seed, tasks, each in rounds:
        with tempfile.TemporaryDirectory() as folder:
            history = history_of(build(FIRMS, seed, draws=0), Path(folder))
        for number, name in enumerate(tasks):
            e = evidence(history, find(name, history.defaults), AS_OF)
            honest = inspect(e)
            counts["honest"] += len(honest)
            counts["false"] += sum(f.flagged for f in honest)
            whole = Whole.of(e)
            for kind in KINDS:
                for again in range(each):
                    found = inspect(planted(whole, kind, 100 * seed + 10 * number + again))
                    named = {c for f in found if f.flagged for c in f.columns}
                    counts["planted"] += 1
                    counts["found"] += "planted" in named
    return counts


def _holds(counts: Counts) -> bool:
    number = {name: int(str(value)) for name, value in counts.items()}
    few = number["found"] >= FOUND * number["planted"]
    return few and number["false"] <= FALSE * number["honest"]


PROOFS = [
    Proof(
        "leakage",
        "of planted columns that alone add 0.05 to the AUC from the future at least 95 % are"
        " flagged, of honest ones at most 2 %",
        leakage,
        holds=_holds,
        issue=4,
    )
]
