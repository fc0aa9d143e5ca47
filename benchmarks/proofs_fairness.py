"""Proof of the fairness checks: a district's planted bias is found, fair ones are not accused."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.proof_item import Counts, Proof
from benchmarks.proofs_city import history_of
from city import Plants, build
from model.examples import cohorts, examples, fitted_profile
from model.fairness import Compared, Listing, outcome, selection
from model.folds import grouped
from model.recipes import SMALL_BAG, fit
from model.tasks import find

__all__ = ["PROOFS"]

DISTRICT, FACTOR = "临澜区", 1.5
TASK = "promotion:innovative_sme@12"
DAYS = [date(year, 6, 30) for year in (2025, 2024, 2023, 2022, 2021)]
KNOWN_BY = date(2026, 6, 30)
FIRMS = 9000
SELECTIONS = (500, 600)
"""Pooled over the years; the bar is on the second, the first is told."""
POWER, ACCUSED = 0.9, 0.1
"""Of fair cities: one in twenty is accused by design, and a proof of twenty must allow for luck."""
SHARES = [0.20, 0.16, 0.13, 0.13, 0.11, 0.10, 0.09, 0.08]
Floats = np.ndarray


def found(rows: list[Compared], district: str = DISTRICT) -> bool:
    """Whether the district is named, and in the right direction."""
    return any(r.group == district and r.state == "disparity" and r.ratio[0] > 1 for r in rows)


def accused(rows: list[Compared]) -> bool:
    return any(row.state == "disparity" for row in rows)


def lists(total: int, factor: float, rng: np.random.Generator) -> list[Compared]:
    """Five years' lists from 5 000 firms each, a district's drawn ``factor`` times as readily."""
    listings = []
    names = np.array([DISTRICT, *"bcdefgh"], dtype=object)
    for _ in DAYS:
        group = rng.choice(names, 5000, p=SHARES)
        key = np.where(group == DISTRICT, np.log(factor), 0.0) + rng.gumbel(size=len(group))
        chosen = np.zeros(len(group), dtype=bool)
        chosen[np.argsort(-key)[: total // len(DAYS)]] = True
        nothing = np.full(len(group), np.nan)
        listings.append(Listing(group, chosen, nothing, nothing))
    return selection(listings)


def titles(seed: int, factor: float) -> tuple[list[Compared], int]:
    """Titles of a city whose district has ``factor`` times the odds, against a blind model."""
    plants = Plants(district=DISTRICT, factor=factor) if factor != 1 else Plants()
    with tempfile.TemporaryDirectory() as folder:
        history = history_of(build(FIRMS, seed, draws=0, plants=plants), Path(folder))
    task = find(TASK, history.defaults)
    parts = cohorts(history, task, DAYS, KNOWN_BY)
    rows = examples(task, parts, fitted_profile(task, parts))
    chance = 1 / (1 + np.exp(-_out_of_fold(rows.values, rows.label, rows.groups)))
    listings = []
    start = 0
    for part in parts:
        here = slice(start, start + len(part.index))
        district = part.seen.cube.panel.firms["district"].reindex(part.firm_ids).to_numpy(object)
        listings.append(Listing(district, rows.label[here] == 1, rows.label[here], chance[here]))
        start = here.stop
    return outcome(listings), int(rows.label.sum())


def _out_of_fold(values: Floats, label: Floats, groups: Floats) -> Floats:
    fold, score = grouped(groups, label, 3, 0), np.zeros(len(label))
    names = [f"f{j}" for j in range(values.shape[1])]
    for i in range(3):
        inside = fold != i
        rows = np.asfortranarray(values[inside])
        model = fit(rows, label[inside], names, [0] * len(names), SMALL_BAG, 0)
        score[~inside] = model.scores(values[~inside])
    return score


def district_bias(sample: bool) -> Counts:
    """How often a planted bias is found, and a fair city accused."""
    rng = np.random.default_rng(20)
    repeats, seeds = (200, 1) if sample else (1000, 20)
    counts: dict[str, object] = {"lists": repeats}
    for total in SELECTIONS:
        made = [(lists(total, FACTOR, rng), lists(total, 1.0, rng)) for _ in range(repeats)]
        counts[f"found of {total}"] = sum(found(biased) for biased, _ in made)
        counts[f"accused of {total}"] = sum(accused(fair) for _, fair in made)
    cities = {"cities": seeds, "cities found": 0, "fair cities accused": 0, "titles": 0}
    for seed in range(1, seeds + 1):
        rows, number = titles(seed, FACTOR)
        cities["cities found"] += found(rows)
        cities["titles"] += number
        cities["fair cities accused"] += accused(titles(seed, 1.0)[0])
    return counts | cities


def _holds(counts: Counts) -> bool:
    n = {name: int(str(value)) for name, value in counts.items()}
    most = SELECTIONS[-1]
    power = n[f"found of {most}"] >= POWER * n["lists"]
    power = power and n["cities found"] >= POWER * n["cities"]
    fair = n[f"accused of {most}"] <= ACCUSED * n["lists"]
    return power and fair and n["fair cities accused"] <= max(ACCUSED * n["cities"], 1)


PROOFS = [
    Proof(
        "district-bias",
        "a district favoured 1.5 times is found with power 0.9 in 600 selections pooled over five"
        " years, and in the titles of a city against a model that does not know districts",
        district_bias,
        holds=_holds,
        issue=4,
    )
]
