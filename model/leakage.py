"""Which columns know the future: each column's newest value held against all that was known before.

Three tests, each a gain in AUC over scores that cannot have seen the suspect:

- ``fresh``: the newest values of one column, added to everything that was known a year before. What
  firms report anew says a little; a column that was filled in after the outcome says much at once,
  and one leak cannot hide another, for the base holds no fresh column at all.
- ``static``: a column that stays the same, added to everything that changes. Marks of a register
  that are set when something happened, and stand in every year of the file, look like this.
- ``missing``: which columns are empty, added to everything that is filled in. Two sources stitched
  together tell by it which source a firm came from.

What the first two tests suspect is looked at again over everything else that the date shows.
A gain counts within each date only, on folds of firms (``model.areas``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from features.expr import Array
from model.areas import gain
from model.boosters import Sample
from model.folds import grouped
from model.linear import ridge
from model.recipes import SMALL_BAG, fit
from tidu.errors import UsageError

__all__ = ["GAIN", "Evidence", "Finding", "Test", "inspect"]

Test = Literal["fresh", "static", "missing"]
Progress = Callable[[str, int, int], None]

GAIN = 0.025
"""A gain from which a column is flagged, where it is also sure: twice what the best honest column
of the synthetic city gains, half of what a leak worth finding adds (docs/decisions/0015)."""
ALONE = 0.02
"""What a suspect must add to everything else that the date shows: figures that are news to all, as
a year of great profits, are borne out by others; what was written after the outcome is not."""
SAME_ORDER = 0.98
"""Rank correlation from which two columns are one and the same news."""
SURE = 2.0
"""Standard errors that the gain must exceed."""
FOLDS = 3
SAME = 0.99
LEAST_SHARE = 0.005
"""Of rows with, or without, a value: a pattern rarer than that says nothing."""

BASE = replace(SMALL_BAG, name="leakage-base", members=2, rounds=60)
STEPS = 8
"""Steps into which a suspect is cut; a step of its own is what is empty."""
PENALTY = 20.0


@dataclass(frozen=True)
class Evidence:
    """Labelled examples with their profile at the date and a year before.

    ``fresh`` and ``before`` are (n, features), NaN unknown; ``columns`` names, per feature, what it
    is made of; ``label`` is 1 or 0, ``groups`` the firm, ``dates`` the cohort.
    """

    names: tuple[str, ...]
    columns: tuple[frozenset[str], ...]
    fresh: Array
    before: Array
    label: Array
    groups: Array
    dates: Array

    def __post_init__(self) -> None:
        shape = (len(self.label), len(self.names))
        found = (self.fresh.shape, self.before.shape)
        if found != (shape, shape) or len(self.columns) != len(self.names):
            raise UsageError(
                f"Evidence must hold {shape} values now and a year before, found {found}."
            )

    def features(self, column: str) -> list[int]:
        """The features that a column enters."""
        return [j for j, parts in enumerate(self.columns) if column in parts]

    def own(self, column: str) -> list[int]:
        """The features that are made of this column alone."""
        return [j for j, parts in enumerate(self.columns) if parts == {column}]

    def newest(self, column: str) -> Array:
        """What the date itself shows of a column."""
        return np.asarray(self.fresh[:, self.own(column) or self.features(column)])

    @property
    def sources(self) -> list[str]:
        return sorted(set().union(*self.columns))


@dataclass(frozen=True, slots=True)
class Finding:
    """What one column, or columns empty together, adds to the AUC; ``error`` is its standard error.

    ``columns`` are more than one where they are empty in the same rows.
    """

    columns: tuple[str, ...]
    test: Test
    gain: float
    error: float
    alone: tuple[float, float] | None = None
    """The same over everything else that the date shows; asked of suspects only."""

    @property
    def suspect(self) -> bool:
        """Whether the first look calls for the second."""
        return self.gain >= GAIN and self.gain > SURE * self.error

    @property
    def flagged(self) -> bool:
        if self.alone is None:
            return self.suspect and self.test == "missing"
        return self.suspect and self.alone[0] >= ALONE and self.alone[0] > SURE * self.alone[1]

    def as_json(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "test": self.test,
            "gain": self.gain,
            "error": self.error,
            "gain_alone": None if self.alone is None else self.alone[0],
            "error_alone": None if self.alone is None else self.alone[1],
            "flagged": self.flagged,
        }


def inspect(
    evidence: Evidence, seed: int = 0, progress: Progress = lambda *_: None
) -> tuple[Finding, ...]:
    """Test every column; the greatest gain first."""
    fold = grouped(evidence.groups, evidence.label, FOLDS, seed)
    asked = _Asked(evidence, fold, seed)
    still = [c for c in evidence.sources if _static(evidence, c)]
    moving = [c for c in evidence.sources if c not in still]
    # What stays the same, and what is empty, would stand in for a suspect of its own kind.
    own = sorted({j for column in still for j in evidence.features(column)})
    changing = np.delete(evidence.before, own, axis=1)
    suspects: list[tuple[tuple[str, ...], Test, Array]] = [
        *(((c,), "fresh", evidence.newest(c)) for c in moving),
        *(((c,), "static", evidence.newest(c)) for c in still),
        *((columns, "missing", empty[:, None]) for columns, empty in _patterns(evidence)),
    ]
    progress("columns tested", 0, len(suspects))
    known, filled = (
        asked.base(values)
        for values in (evidence.before, _filled(changing, np.random.default_rng(seed)))
    )
    bases = {"fresh": known, "static": filled, "missing": filled}
    found = []
    for done, (columns, test, added) in enumerate(suspects, 1):
        first = asked.finding(columns, test, bases[test], added)
        found.append(asked.second(first) if first.suspect and test != "missing" else first)
        progress("columns tested", done, len(suspects))
    return tuple(sorted(found, key=lambda f: (-f.gain, f.test, f.columns)))


@dataclass(frozen=True)
class _Asked:
    """Out-of-fold scores with and without a suspect."""

    evidence: Evidence
    fold: Array
    seed: int

    def base(self, values: Array) -> Array:
        """Log-odds by everything in ``values``, each firm scored by models that never saw it."""
        kept = values[:, ~np.isnan(values).all(axis=0)]
        names = [f"f{j}" for j in range(kept.shape[1])]
        signs = [0] * len(names)
        label, score = self.evidence.label, np.zeros(len(kept))
        for inside in self._folds():
            rows = np.asfortranarray(kept[inside])
            model = fit(rows, label[inside], names, signs, BASE, self.seed)
            score[~inside] = model.scores(kept[~inside])
        return score

    def finding(self, columns: tuple[str, ...], test: Test, base: Array, added: Array) -> Finding:
        """What the suspect adds: a line of the base and of the suspect's steps."""
        whole = np.column_stack([base, *(_steps(column) for column in added.T)])
        names, score = tuple(f"f{j}" for j in range(whole.shape[1])), np.zeros(len(base))
        for inside in self._folds():
            sample = Sample(whole[inside], self.evidence.label[inside], names, None)
            for term in ridge(sample, PENALTY).terms:
                score[~inside] += term.effect(whole[~inside, names.index(term.feature)])
        value, error = gain(self.evidence.label, score, base, self.evidence.dates)
        return Finding(columns, test, value, error)

    def second(self, first: Finding) -> Finding:
        """Look again at a suspect: over all else that the date shows, its twins left out."""
        e, (column,) = self.evidence, first.columns
        out = {j for twin in _twins(e, column) for j in e.features(twin)}
        rest = np.delete(e.fresh, sorted(out), axis=1)
        if first.test == "static":
            rest = _filled(rest, np.random.default_rng(self.seed))
        again = self.finding(first.columns, first.test, self.base(rest), e.newest(column))
        return replace(first, alone=(again.gain, again.error))

    def _folds(self) -> list[Array]:
        return [self.fold != i for i in range(FOLDS)]


def _steps(values: Array) -> Array:
    """A column as steps (0 or 1): its quantiles, its few values one by one, and what is empty."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) > STEPS:
        known = np.unique(np.nanquantile(values, np.arange(1, STEPS) / STEPS))
        place = np.digitize(values, known)
    else:
        place = np.searchsorted(known, values)
    place = np.where(np.isnan(values), -1, place)
    return np.column_stack([place == step for step in np.unique(place)]).astype("float64")


def _twins(evidence: Evidence, column: str) -> set[str]:
    """The column and those that order the firms as it does."""
    own = _ranked(evidence, column)
    twins = {column}
    if own is not None:
        for other in evidence.sources:
            ranks = _ranked(evidence, other)
            if ranks is None or other == column:
                continue
            both = ~np.isnan(own) & ~np.isnan(ranks)
            if both.sum() > 2 and np.ptp(own[both]) and np.ptp(ranks[both]):
                alike = abs(float(np.corrcoef(own[both], ranks[both])[0, 1]))
                twins |= {other} if alike >= SAME_ORDER else set()
    return twins


def _ranked(evidence: Evidence, column: str) -> Array | None:
    """Ranks of the column's first feature of its own, NaN where unknown."""
    own = evidence.own(column)
    if not own:
        return None
    values = evidence.fresh[:, own[0]]
    known = ~np.isnan(values)
    ranks = np.full(len(values), np.nan)
    ranks[known] = rankdata(values[known])
    return ranks


def _static(evidence: Evidence, column: str) -> bool:
    """Whether a column stays the same from year to year in nearly all firms that show it twice."""
    own = evidence.own(column)
    if not own:
        return False
    now, before = evidence.fresh[:, own], evidence.before[:, own]
    both = ~np.isnan(now) & ~np.isnan(before)
    if both.sum() < len(evidence.label) / 10:
        return False
    return bool((now[both] == before[both]).mean() >= SAME)


def _patterns(evidence: Evidence) -> list[tuple[tuple[str, ...], Array]]:
    """The distinct ways in which columns are empty, each with the columns that share it."""
    found: dict[bytes, list[str]] = {}
    for column in evidence.sources:
        empty = np.isnan(evidence.newest(column)).all(axis=1)
        found.setdefault(np.packbits(empty).tobytes(), []).append(column)
    patterns = []
    for packed, columns in found.items():
        bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=len(evidence.label))
        empty = bits.astype("float64")
        if LEAST_SHARE <= empty.mean() <= 1 - LEAST_SHARE:
            patterns.append((tuple(columns), empty))
    return sorted(patterns, key=lambda p: p[0])


def _filled(values: Array, rng: np.random.Generator) -> Array:
    """Without a trace of what was empty: in its place known values of the column, drawn by lot."""
    known = ~np.isnan(values)
    filled = values[:, known.any(axis=0)].copy()
    for column in filled.T:
        empty = np.isnan(column)
        column[empty] = rng.choice(column[~empty], int(empty.sum()))
    return filled
