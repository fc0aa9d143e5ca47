"""Whether the observable oracle has converged: what it catches by the number of cities behind it.

Judged on cities that no oracle was fitted on, against the order of the true hazards themselves.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.known_truth import FIRMS, ORACLE_CITIES
from benchmarks.known_truth_measures import FEWEST
from benchmarks.known_truth_oracle import Oracle, Population
from benchmarks.known_truth_rows import TIERS

__all__ = ["curve", "held", "main"]

HELD = 6  # cities beyond the oracle's own


def held(hazard: np.ndarray, weight: np.ndarray, score: np.ndarray) -> float:
    """The sum of hazards among the K best, a sampled row standing for ``weight`` firms."""
    k = max(FEWEST, round(float(hazard @ weight)))
    order = np.argsort(-score, kind="stable")
    before = np.cumsum(weight[order]) - weight[order]
    part = np.clip(k - before, 0.0, weight[order])
    return float(part @ hazard[order])


def curve(population: Population, tier: str, sizes: list[int]) -> dict[int, float]:
    """Share of the latent oracle's catch, by number of cities fitted on."""
    first = max(sizes)
    values, hazard, weight, year, city = population.rows(tier, first, population.cities)
    found = {}
    for size in sizes:
        score = Oracle(population, size).predict(tier, values)
        lists = [(city == c) & (year == y) for c in np.unique(city) for y in np.unique(year)]
        caught = [held(hazard[i], weight[i], score[i]) for i in lists]
        best = [held(hazard[i], weight[i], hazard[i]) for i in lists]
        found[size] = sum(caught) / sum(best)
    return found


def main() -> None:
    """Print the curve of every tier."""
    parser = argparse.ArgumentParser(prog="known_truth_curve", description=__doc__)
    parser.add_argument("--firms", type=int, default=FIRMS)
    parser.add_argument("--cities", type=int, default=ORACLE_CITIES)
    options = parser.parse_args()
    population = Population(options.firms, options.cities + HELD)
    population.make()
    sizes = [options.cities // 4, options.cities // 2, options.cities]
    for tier in TIERS:
        found = curve(population, tier, sizes)
        print(f"{tier:18s}", *(f"{size} cities {share:.3f}" for size, share in found.items()))


if __name__ == "__main__":
    main()
