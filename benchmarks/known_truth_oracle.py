"""The observable oracle: the best prediction of the true hazard from what was known at the date.

A learner fitted on the *true hazards* (not on outcomes) of many other cities of the same size, from
the wide input of :mod:`benchmarks.known_truth_rows`. Soft labels under cross-entropy make it the
conditional mean of the hazard, which is what orders firms best where their hazards are summed.
Population and fits are kept under ``var/known_truth`` by the digest of what they were made from.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import lightgbm as lgb
import numpy as np

from benchmarks.known_truth_rows import TIERS, Town, town, wide
from features.peers import PeerReference
from features.profile import Observation, Profile, observe
from features.spec import FeatureSpec
from model.examples import Cohort, fitted_profile
from model.labels import cohort, fresh
from model.training import training_cohorts
from tidu import digest

__all__ = ["FIRST_SEED", "KEPT", "SEEN", "Oracle", "Population", "made_from"]

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "known_truth"
FIRST_SEED = 1001  # the oracle's cities; none is ever tested
YEARS = range(2021, 2026)
PLENTY = 600  # rows a city and date from which those with small chances are sampled
SHARE, BY_CHANCE = 0.15, 5.0
ROUNDS = 400
MEMBERS = 2
LEAST, MOST_CHANCE = 1e-5, 1 - 1e-5
SEEN = (
    "city/*.py", "city/*.toml", "features/**/*.py", "features/**/*.toml",
    "benchmarks/known_truth_rows.py",
)  # fmt: skip
"""What shapes a city and what is seen of it."""


def made_from(patterns: Sequence[str] = SEEN) -> str:
    """A digest of the code and data that something was made from."""
    files = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    known = [f for f in files if f.is_file()]
    parts = {str(f.relative_to(ROOT)): digest.of_bytes(f.read_bytes()) for f in known}
    return digest.of_json(parts)[:16]


@dataclass(frozen=True)
class Population:
    """Cities of ``firms`` firms from :data:`FIRST_SEED` on; ``cities`` of them."""

    firms: int
    cities: int

    @cached_property
    def folder(self) -> Path:
        folder = KEPT / made_from() / str(self.firms)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @cached_property
    def profile(self) -> Profile:
        """One profile for all cities: the peers of the first."""
        path = self.folder / "profile.json"
        if not path.exists():
            first = town(self.firms, FIRST_SEED)
            task, day = first.task(TIERS[0]), date(YEARS[-1], 6, 30)
            made = fitted_profile(task, training_cohorts(first.history, task, day))
            data = {"specs": [s.as_json() for s in made.specs], "peers": made.reference.as_json()}
            _written(path, json.dumps(data).encode())
        data = json.loads(path.read_text(encoding="utf-8"))
        specs = tuple(FeatureSpec.from_json(spec) for spec in data["specs"])
        return Profile(specs, PeerReference.from_json(data["peers"]))

    def rows(self, tier: str, first: int, last: int) -> tuple[np.ndarray, ...]:
        """Inputs, hazards, weights, years and numbers of the cities ``first`` up to ``last``."""
        parts = []
        for number in range(first, last):
            with np.load(self._made(number)) as kept:
                names = ("values", "hazard", "weight", "year")
                columns = [kept[f"{tier}_{name}"] for name in names]
            parts.append([*columns, np.full(len(columns[0]), number)])
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    def make(self) -> None:
        """Make what is not there yet, city by city."""
        for number in range(self.cities):
            self._made(number)

    def _made(self, number: int) -> Path:
        path = self.folder / f"city-{FIRST_SEED + number}.npz"
        if not path.exists():
            here = town(self.firms, FIRST_SEED + number)
            found = self._seen(here)
            staged = path.with_suffix(f".{os.getpid()}.npz")
            np.savez(staged, **found)
            staged.replace(path)
            print(f"oracle's city {number + 1} of {self.cities}", file=sys.stderr, flush=True)
        return path

    def _seen(self, here: Town) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(here.seed)
        found: dict[str, list[np.ndarray]] = {}
        for year in YEARS:
            seen = observe(here.history.as_of(date(year, 6, 30)))
            values = wide(seen, self.profile)
            for tier in TIERS:
                index, hazard, weight = _asked(here, tier, seen, rng)
                found.setdefault(f"{tier}_values", []).append(values[index])
                found.setdefault(f"{tier}_hazard", []).append(hazard)
                found.setdefault(f"{tier}_weight", []).append(weight)
                found.setdefault(f"{tier}_year", []).append(np.full(len(index), year))
        return {name: np.concatenate(parts) for name, parts in found.items()}


def _asked(
    here: Town, tier: str, seen: Observation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, true chances and weights of a tier's cohort: fresh firms whose chance is known.

    The lowest tier's cohort is nearly the whole city, most of it hopeless: a part stands for it.
    """
    index = np.flatnonzero(cohort(here.task(tier), seen) & fresh(seen))
    hazard = here.hazard(tier, seen.cube.panel.as_of, seen.firm_ids[index])
    share = np.ones(len(index))
    if len(index) > PLENTY:
        share = np.clip(SHARE + BY_CHANCE * hazard, 0.0, 1.0)
    chosen = np.flatnonzero(rng.random(len(index)) < share)  # false where the truth has no chance
    return index[chosen], hazard[chosen], 1.0 / share[chosen]


def _written(path: Path, data: bytes) -> None:
    staged = path.with_suffix(f".{os.getpid()}")
    staged.write_bytes(data)
    staged.replace(path)


@dataclass(frozen=True)
class Oracle:
    """Predictors of the hazard, one a tier, fitted on the first ``cities`` of a population."""

    population: Population
    cities: int

    def score(self, tier: str, part: Cohort) -> np.ndarray:
        """Order a cohort's firms: the larger, the likelier."""
        return self.predict(tier, wide(part.seen, self.population.profile)[part.index])

    def predict(self, tier: str, values: np.ndarray) -> np.ndarray:
        models = [lgb.Booster(model_str=text) for text in self._texts(tier)]
        scores = [model.predict(values, raw_score=True, num_threads=1) for model in models]
        return np.asarray(np.mean(scores, axis=0))

    def fit(self, tiers: Sequence[str] = TIERS) -> None:
        for tier in tiers:
            self._texts(tier)

    def _texts(self, tier: str) -> list[str]:
        path = self.population.folder / f"oracle-{tier}-{self.cities}-{ROUNDS}x{MEMBERS}.json"
        if not path.exists():
            _written(path, json.dumps(self._grown(tier)).encode())
            print(f"oracle of {tier} from {self.cities} cities", file=sys.stderr, flush=True)
        found: list[str] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _grown(self, tier: str) -> list[str]:
        values, hazard, weight, *_ = self.population.rows(tier, 0, self.cities)
        label = np.clip(hazard, LEAST, MOST_CHANCE)
        rows = lgb.Dataset(values, label, weight=weight, params={"max_bin": 127, "verbosity": -1})
        return [
            lgb.train(_settings(len(values), member), rows, ROUNDS).model_to_string()
            for member in range(MEMBERS)
        ]


def _settings(rows: int, member: int) -> dict[str, object]:
    """Fewer leaves for the small cohorts of the highest tiers."""
    return {
        "objective": "cross_entropy",
        "num_leaves": 31 if rows > 20_000 else 12,
        "learning_rate": 0.05 if rows > 20_000 else 0.03,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "min_data_in_leaf": 40,
        "max_bin": 127,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "seed": member + 1,
    }
