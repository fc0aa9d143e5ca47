"""The real sets as cells: who learns from whom at which date, by the production path.

Out of time where at least 30 positives stand in training and in test, else 5 × 5 folds of firms
with no split group on both sides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.proof_item import Skip
from features.cube import Cube
from features.mapping_build import load_mapping
from features.panel import History
from features.prepared import prepare
from features.profile import Profile
from features.vault import Vault
from model.evaluation import evidence_day
from model.examples import Cohort, Examples, cohort_at, examples, fitted_profile, matrix
from model.folds import grouped
from model.tasks import Task, find
from model.training import training_cohorts
from tidu.errors import NotAvailable

__all__ = ["SETS", "Cell", "Prepared", "RealSet", "prepared"]

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
FEWEST = 30
REPEATS = 5
FOLDS = 5
CLOCKS = ("known_on", "known_inferred", "seq", "withdrawn")
KEYS = ("firm_id", "year")
TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class RealSet:
    """A set with its files, its task and the dates of its cohorts."""

    name: str
    files: tuple[tuple[str, str], ...]
    task: str
    days: tuple[date, ...]


def _days(month: int, day: int, first: int, last: int) -> tuple[date, ...]:
    return tuple(date(year, month, day) for year in range(first, last + 1))


NEEQ = (("cn_neeq_firm_year.csv.gz", "cn_neeq"),)
KOREA = (("kr_listed_firm_year.csv.gz", "kr_listed"), ("kr_delisted.csv", "kr_delisted"))
NORWAY = (("no_hospitality_firm_year.csv.gz", "no_hospitality"),)
SPAIN = (("es_firm_year.csv.gz", "es_firm_year"),)

SETS = (
    RealSet("cn_neeq", NEEQ, "listing@24", _days(6, 30, 2021, 2023)),
    RealSet("kr_growth_12", KOREA, "growth@12", _days(6, 30, 2016, 2020)),
    RealSet("kr_growth_24", KOREA, "growth@24", _days(6, 30, 2016, 2019)),
    RealSet("kr_growth_36", KOREA, "growth@36", _days(6, 30, 2016, 2018)),
    RealSet("kr_distress", KOREA, "distress@24", _days(6, 30, 2016, 2018)),
    RealSet("no_hospitality", NORWAY, "distress@12", _days(12, 31, 2016, 2018)),
    RealSet("es_firm_year", SPAIN, "distress@12", _days(12, 31, 1998, 2003)),
)


@dataclass(frozen=True)
class Cell:
    """One fit: what to learn from and what to score; ``place`` says which rows of the set."""

    repeat: int
    label: np.ndarray
    train: Mapping[str, np.ndarray]
    test: Mapping[str, np.ndarray]
    place: np.ndarray
    known: Known

    @property
    def directions(self) -> tuple[int, ...]:
        return self.known.directions

    def examples(self, source: str) -> Examples:
        """What a recipe is chosen and fitted on."""
        known = self.known
        return Examples(
            known.task, self.train[source], known.names, self.label, known.groups, known.dates
        )


@dataclass(frozen=True)
class Known:
    """What is known of the training rows of a cell beside values and labels."""

    task: Task
    names: tuple[str, ...]
    directions: tuple[int, ...]
    groups: np.ndarray
    dates: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """All tested rows of a set, in one fixed order, and the cells that score them.

    ``train`` and ``test`` of a cell hold two inputs: ``profile`` and ``raw``, the file's own
    columns with calendar lags and differences.
    """

    set: RealSet
    split: str
    label: np.ndarray
    groups: np.ndarray
    dates: np.ndarray
    cells: tuple[Cell, ...]
    training_positives: tuple[int, ...]


def prepared(chosen: RealSet) -> Prepared:
    """Import the set into a home of its own and lay out its cells."""
    history = _history(chosen)
    task = find(chosen.task, history.defaults, None, history.outcome_task)
    evidence = history.as_of(evidence_day(history))
    parts = [cohort_at(history, task, day, evidence) for day in chosen.days]
    tests = [part.kept(part.fresh & ~np.isnan(part.label)) for part in parts]
    outside = _out_of_time(chosen, history, task, tests)
    return outside or _by_firms(chosen, task, tests)


def _history(chosen: RealSet) -> History:
    if not DATA.is_dir():
        raise Skip(f"the real sets are not at {DATA}")
    with tempfile.TemporaryDirectory() as home:
        vault = Vault(Path(home))
        for file, mapping in chosen.files:
            rules = load_mapping(ROOT / "examples" / f"{mapping}.toml")
            vault.add(prepare(DATA / file, rules, TODAY))
        return vault.at(vault.head)


def _out_of_time(
    chosen: RealSet, history: History, task: Task, tests: list[Cohort]
) -> Prepared | None:
    """Every test date with 30 positives whose matured training cohorts hold 30, too."""
    if history.outcome_task:
        return None  # the status of a firm stays: the same firm must not stand on both sides
    sides = []
    for test in tests:
        try:
            training = training_cohorts(history, task, test.as_of)
        except NotAvailable:
            continue
        positives = sum(int(part.label.sum()) for part in training)
        if positives >= FEWEST and int(test.label.sum()) >= FEWEST:
            sides.append((training, test, positives))
    if not sides:
        return None
    return _stacked(chosen, task, sides)


def _stacked(
    chosen: RealSet, task: Task, sides: list[tuple[list[Cohort], Cohort, int]]
) -> Prepared:
    cells: list[Cell] = []
    start = 0
    for training, test, _ in sides:
        profile = fitted_profile(task, training)
        rows = examples(task, training, profile)
        train = {"profile": rows.values, "raw": np.concatenate([_raw(p) for p in training])}
        scored = {"profile": matrix(test, profile).values, "raw": _raw(test)}
        place = np.arange(start, start + len(test.index))
        known = Known(task, profile.names, _directions(task, profile), rows.groups, rows.dates)
        cells += [
            Cell(repeat, rows.label, train, scored, place, known) for repeat in range(REPEATS)
        ]
        start += len(test.index)
    tests = [test for _, test, _ in sides]
    return Prepared(
        chosen, "out of time", *_joined(tests), tuple(cells), tuple(p for _, _, p in sides)
    )


def _by_firms(chosen: RealSet, task: Task, tests: list[Cohort]) -> Prepared:
    """5 × 5 folds of firms over all cohorts; a firm's dates stay together."""
    tests = [test for test in tests if len(test.index)]
    profile = fitted_profile(task, tests)
    values = examples(task, tests, profile).values
    raw = np.concatenate([_raw(test) for test in tests])
    label, groups, dates = _joined(tests)
    directions = _directions(task, profile)
    cells = []
    for repeat in range(REPEATS):
        fold = grouped(groups, label, FOLDS, repeat)
        for i in range(FOLDS):
            inside, place = fold != i, np.flatnonzero(fold == i)
            train = {"profile": values[inside], "raw": raw[inside]}
            test = {"profile": values[place], "raw": raw[place]}
            known = Known(task, profile.names, directions, groups[inside], dates[inside])
            cells.append(Cell(repeat, label[inside], train, test, place, known))
    positives = (int(label.sum() * (FOLDS - 1) / FOLDS),)
    return Prepared(chosen, "folds of firms", label, groups, dates, tuple(cells), positives)


def _directions(task: Task, profile: Profile) -> tuple[int, ...]:
    return tuple(spec.direction * task.sense for spec in profile.specs)


def _joined(tests: list[Cohort]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dates = [np.full(len(test.index), np.datetime64(test.as_of)) for test in tests]
    return (
        np.concatenate([test.label for test in tests]),
        np.concatenate([test.groups for test in tests]),
        np.concatenate(dates),
    )


def _raw(part: Cohort) -> np.ndarray:
    """The file's own columns: level, two calendar lags and two differences, and the sector."""
    cube = part.seen.cube
    window = part.seen.window
    columns = []
    for name in sorted(cube.annual.columns):
        if name in CLOCKS or not _numeric(cube, name):
            continue
        now, last, before = (window.lag(name, k)[part.index] for k in range(3))
        columns += [now, last, before, now - last, last - before]
    sector = cube.panel.firms["sector"].reindex(part.firm_ids).fillna("")
    columns.append(pd.factorize(sector, sort=True)[0].astype("float64"))
    return np.column_stack(columns)


def _numeric(cube: Cube, name: str) -> bool:
    return name not in KEYS and cube.panel.column(name).numeric
