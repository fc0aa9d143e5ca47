"""Proof of the fairness checks: a district's planted bias is found, fair ones are not accused."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom

from benchmarks.proof_item import Counts, Proof
from benchmarks.proofs_city import history_of
from city import City, Plants, build
from model.examples import cohorts, examples, fitted_profile
from model.fairness import Compared, Listing, outcome, selection
from model.folds import grouped
from model.recipes import SMALL_BAG, fit
from model.tasks import find

__all__ = ["PROOFS"]

DISTRICT, FACTOR = "临澜区", 1.5
ODDS = 2.75
"""Odds of a title that make its chance 1.5 times as high: of applications nearly half succeed."""
TASK = "promotion:innovative_sme@12"
DAYS = [date(year, 6, 30) for year in (2025, 2024, 2023, 2022, 2021)]
KNOWN_BY = date(2026, 6, 30)
FIRMS = 9000
SELECTIONS = (500, 600)
"""Pooled over the years; the bar is on the second, the first is told."""
POWER, ACCUSED, SURE = 0.9, 0.05, 0.99
"""One fair city in twenty is accused by design; the proof allows for luck in how many are."""
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


def titles(seed: int, odds: float) -> tuple[list[Compared], int, float]:
    """Titles of a city whose district has ``odds`` times the odds, against a blind model.

    Also how many there are, and how many times as high the true chance is in the district.
    """
    city = build(FIRMS, seed, draws=0, plants=Plants(district=DISTRICT, factor=odds))
    with tempfile.TemporaryDirectory() as folder:
        history = history_of(city, Path(folder))
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
    return outcome(listings), int(rows.label.sum()), _favoured(city)


def _favoured(city: City) -> float:
    """The mean true chance in the district over that elsewhere."""
    known = city.truth[(city.truth["task"] == TASK) & city.truth["as_of"].isin(_moments())]
    district = city.tables["firms"].set_index("firm_id")["district"]
    there = (district.reindex(known["firm_id"].astype(str)) == DISTRICT).to_numpy()
    chance = known["probability"].to_numpy()
    return float(chance[there].mean() / chance[~there].mean())


def _moments() -> list[pd.Timestamp]:
    return [pd.Timestamp(day) for day in DAYS]


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
    repeats, seeds = (200, 0) if sample else (1000, 20)
    counts: dict[str, object] = {"lists": repeats}
    for total in SELECTIONS:
        made = [(lists(total, FACTOR, rng), lists(total, 1.0, rng)) for _ in range(repeats)]
        counts[f"found of {total}"] = sum(found(biased) for biased, _ in made)
        counts[f"accused of {total}"] = sum(accused(fair) for _, fair in made)
    cities = {"cities": seeds, "cities found": 0, "fair cities accused": 0, "titles": 0}
    ratios = []
    for seed in range(1, seeds + 1):
        rows, number, favoured = titles(seed, ODDS)
        cities["cities found"] += found(rows)
        cities["titles"] += number
        cities["fair cities accused"] += accused(titles(seed, 1.0)[0])
        ratios.append(favoured)
    if ratios:
        counts["chance in the district over elsewhere"] = round(float(np.mean(ratios)), 2)
    return counts | cities


def _holds(counts: Counts) -> bool:
    n = {name: int(str(value)) for name, value in counts.items() if "over" not in name}
    most = SELECTIONS[-1]
    power = n[f"found of {most}"] >= POWER * n["lists"]
    power = power and n["cities found"] >= POWER * n["cities"]
    fair = n[f"accused of {most}"] <= _by_luck(n["lists"])
    return power and fair and n["fair cities accused"] <= _by_luck(n["cities"])


def _by_luck(tries: int) -> float:
    return float(binom.ppf(SURE, tries, ACCUSED))


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
