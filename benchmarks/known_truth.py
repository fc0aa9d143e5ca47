"""The bar "known truth": Tidu, its rivals and two oracles on cities whose hazards are known.

    python -m benchmarks.known_truth --seeds 1-3 --years 2024,2025 --groups own,simple

Each part (city, date, group of contenders) is kept under ``var/known_truth/parts`` when it is done,
by the digest of all code that it was made with, so that a run continues and nothing stale is read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.known_truth_contenders import GROUPS, Case
from benchmarks.known_truth_measures import Caught, caught, list_length, ratio, spread
from benchmarks.known_truth_oracle import KEPT, SEEN, Oracle, Population, made_from
from benchmarks.known_truth_rows import TIERS, Town, town

__all__ = ["Ranked", "Setting", "main", "measured", "report"]

FIRMS = 9_000
ORACLE_CITIES = 30
MANY = 500
BARS = (0.92, 0.88)
"""Of the observable oracle: where training holds 500 positives, and where fewer."""


@dataclass(frozen=True)
class Setting:
    """What is run: cities by seed, dates by year, contenders by group."""

    seeds: Sequence[int]
    years: Sequence[int] = (2024, 2025)
    groups: Sequence[str] = ("own", "alone", "simple", "slow")
    firms: int = FIRMS
    cities: int = ORACLE_CITIES
    tiers: Sequence[str] = TIERS


@dataclass
class Ranked:
    """One tier of one city at one date: truth, and every contender's scores by name."""

    seed: int
    year: int
    tier: str
    known: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def k(self) -> int:
        return list_length(self.known["label"])

    def caught(self, contender: str) -> Caught:
        hazard = np.nan_to_num(self.known["hazard"])
        return caught(hazard, self.known[contender], self.k)


COHORTS = (
    *SEEN, "model/examples.py", "model/labels.py", "model/t*.toml", "model/t*.py", "model/w*.py",
    "model/editions.*", "benchmarks/known_truth_[co]*.py",
)  # fmt: skip
MADE_WITH = {
    "truth": COHORTS,
    "own": (*COHORTS, "model/*"),
    "alone": (*COHORTS, "model/*"),
    "simple": (*COHORTS, "model/rivals.py", "model/folds.py", "model/metrics.py"),
    "slow": (*COHORTS, "model/rivals.py", "model/metrics.py", "benchmarks/rivals.py"),
}


def measured(setting: Setting) -> list[Ranked]:
    """Run what is not kept yet; return all of it."""
    oracle = Oracle(Population(setting.firms, setting.cities), setting.cities)
    oracle.population.make()
    oracle.fit(setting.tiers)
    made = {group: made_from(code) for group, code in MADE_WITH.items()}
    found = []
    for seed in setting.seeds:
        here = cache(partial(town, setting.firms, seed))
        for year in setting.years:
            for tier in setting.tiers:
                case = cache(partial(_case, here, tier, date(year, 6, 30)))
                ranked = Ranked(seed, year, tier)
                for group in ("truth", *setting.groups):
                    about = (setting.firms, setting.cities, seed, year, tier, group, made[group])
                    path = KEPT / "parts" / ("-".join(map(str, about)) + ".npz")
                    if not path.exists():
                        _keep(path, _run(group, case(), oracle))
                    with np.load(path) as data:
                        ranked.known |= dict(data)
                found.append(ranked)
    return found


def _case(here: Callable[[], Town], tier: str, day: date) -> Case:
    return Case(here(), tier, day)


def _run(group: str, case: Case, oracle: Oracle) -> dict[str, np.ndarray]:
    _say(f"seed {case.town.seed} {case.day} {case.tier} {group}")
    if group != "truth":
        return dict(GROUPS[group](case))
    known = dict(case.truth())
    known["latent"] = np.nan_to_num(known["hazard"])
    return known | {"observable": oracle.score(case.tier, case.tested)}


def _keep(path: Path, found: Mapping[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(f".{os.getpid()}.npz")
    np.savez_compressed(staged, **dict(found))
    staged.replace(path)


NOT_CONTENDERS = (
    "firm", "hazard", "label", "positives", "examples", "chance", "low", "high", "count", "length",
)  # fmt: skip


def contenders(found: Sequence[Ranked]) -> list[str]:
    """Names of all that ordered every tested list."""
    common = set.intersection(*(set(t.known) for t in found)) - set(NOT_CONTENDERS)
    first = ["observable", "latent", "tidu", "alone"]
    return [n for n in first if n in common] + sorted(common - set(first))


def report(found: Sequence[Ranked]) -> str:
    """The table: per tier and date, each contender as a share of the observable oracle."""
    lines = []
    for tier in TIERS:
        for years in dict.fromkeys([*((y,) for y in years_of(found)), years_of(found)]):
            chosen = [t for t in found if t.tier == tier and t.year in years]
            if chosen:
                lines += _block(tier, years, chosen)
    return "\n".join(lines)


def years_of(found: Sequence[Ranked]) -> tuple[int, ...]:
    return tuple(sorted({t.year for t in found}))


def _block(tier: str, years: tuple[int, ...], chosen: Sequence[Ranked]) -> list[str]:
    positives = [int(t.known["positives"]) for t in chosen]
    size = [len(t.known["hazard"]) for t in chosen]
    lines = [
        f"\n{tier} {'+'.join(map(str, years))}: {len(chosen)} lists, training positives"
        f" {min(positives)}…{max(positives)} (mean {np.mean(positives):.0f}), cohort"
        f" {np.mean(size):.0f}, K {np.mean([t.k for t in chosen]):.0f}"
    ]
    best = {t.seed: [u.caught("observable") for u in chosen if u.seed == t.seed] for t in chosen}
    for name in contenders(chosen):
        ours = {t.seed: [u.caught(name) for u in chosen if u.seed == t.seed] for t in chosen}
        precision, ndcg = ratio(_flat(ours), _flat(best))
        low, high = spread(ours, best)[0]
        lines.append(f"  {name:32s} {precision:.3f} ({low:.3f}…{high:.3f})  {ndcg:.3f}")
    return lines


def _flat(lists: Mapping[int, Sequence[Caught]]) -> list[Caught]:
    return [c for seed in sorted(lists) for c in lists[seed]]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> None:
    """Print the table of what the arguments name."""
    parser = argparse.ArgumentParser(prog="known_truth", description=__doc__)
    parser.add_argument("--seeds", default="1-3")
    parser.add_argument("--years", default="2024,2025")
    parser.add_argument("--groups", default="own,simple")
    parser.add_argument("--firms", type=int, default=FIRMS)
    parser.add_argument("--cities", type=int, default=ORACLE_CITIES, help="of the oracle")
    options = parser.parse_args()
    setting = Setting(
        _numbers(options.seeds),
        _numbers(options.years),
        options.groups.split(","),
        options.firms,
        options.cities,
    )
    print(report(measured(setting)))


if __name__ == "__main__":
    main()
