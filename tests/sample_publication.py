"""A small made-up publication: consistent, random by seed, known to nobody but the tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
from plan_panels import history_of, panel_of
from random_firms import many

from features.spec import DIMENSIONS
from model.bundle import Bundle
from model.wording import Feature
from policy.loading import standing
from policy.plan.files import load_plans
from policy.situation import Situation
from policy.values import Inputs, Values
from serving.casework import Casework
from serving.judging import Judged, judged
from serving.planned import Fits, Planned, planned
from serving.publication import Profile, Publication, TaskPart
from serving.shortlist.codes import OUTSIDE
from serving.shortlist.question import SIZES
from serving.shortlist.standing import Rung, Standing
from tidu.errors import NotFound

TASKS = ("growth@36", "distress:bankruptcy@24")
BASE = -1.0


def features(count: int) -> tuple[Feature, ...]:
    names = list(DIMENSIONS)
    return tuple(
        Feature(f"f{i}", f"指标{i}", f"Feature {i}", "%", names[i % 4], "finance", i % 2 == 0, 1)
        for i in range(count)
    )


def firms(count: int) -> pd.DataFrame:
    tiers = np.array(["innovative_sme", "srdi_provincial", None], dtype=object)
    number = np.arange(count)
    return pd.DataFrame(
        {
            "firm_id": [f"F{i:06d}" for i in number],
            "name": [f"企业{i} Works" for i in number],
            "district": [f"区{i % 7}" for i in number],
            "industry": [f"C{30 + i % 9}" for i in number],
            "tier": tiers[number % 3],
            "founded_on": pd.to_datetime(date(2001, 1, 1)) + pd.to_timedelta(number, unit="D"),
            "employees": np.where(number % 5 == 0, np.nan, number * 3.0),
        }
    )


def task_part(task: str, ids: list[str], width: int, seed: int = 0) -> TaskPart:
    """Scores whose every sixth firm is outside the cohort; probability is the logistic curve."""
    random = np.random.default_rng(seed)
    cohort = [firm for i, firm in enumerate(ids) if i % 6]
    n = len(cohort)
    contributions = np.column_stack([random.normal(0, 0.2, (n, width)), np.full(n, BASE)])
    score = contributions.sum(axis=1)
    order = np.lexsort((np.array(cohort), -score))
    rank = np.empty(n)
    rank[order] = np.arange(1, n + 1)
    chance = 1 / (1 + np.exp(-score))
    base = float(1 / (1 + np.exp(-BASE)))
    values = random.normal(10, 5, (n, width))
    values[random.random((n, width)) < 0.1] = np.nan
    frame = pd.DataFrame(
        {
            "firm_id": cohort,
            "score": score,
            "rank": rank,
            "probability": chance,
            "p_low": chance * 0.8,
            "p_high": chance + (1 - chance) * 0.2,
            "stale": np.arange(n) % 10 == 0,
        }
    )
    return TaskPart(
        task,
        f"{seed:08x}" * 4,
        frame,
        contributions,
        values,
        features(width),
        base,
        base * (1 - base),
        np.where(np.isnan(values), np.nan, random.uniform(0, 100, (n, width))),
        {"trained_as_of": "2023-12-31", "recipe": "bag"},
    )


def situation_of(inputs: Inputs) -> Situation:
    """A situation of no panel: the firms are those of the inputs."""
    values = Values(standing(), inputs)
    panel = panel_of(inputs.day, {})
    return Situation(standing(), panel, (), {(inputs.data_year, ""): values})


def verdicts(ids: list[str], day: date, seed: int = 0) -> Judged:
    """Verdicts of random firms by the law as it ships; every fifth figure is unknown."""
    inputs = many(seed, len(ids), day)
    random = np.random.default_rng(seed)
    hidden = {
        name: np.where(random.random(len(ids)) < 0.2, np.nan, column)
        for name, column in inputs.columns.items()
        if not name.startswith("size_")
    }
    named = replace(inputs.replaced(hidden), firm_ids=np.array(ids, dtype=object))
    return judged(situation_of(named))


@cache
def plan_run(ids: tuple[str, ...], day: date) -> Planned:
    """The plan run on firms of which little is known, every third with a title."""
    firms = [{"firm_id": firm, "district": f"区{i % 7}"} for i, firm in enumerate(ids)]
    titles = [
        {"firm_id": firm, "tier": "srdi_municipal", "issued_on": date(2023, 3, 1 + i % 28),
         "expires_on": date(2026, 3, 1), "purpose": "new"} for i, firm in enumerate(ids[::3])
    ]  # fmt: skip
    panel = panel_of(day, {"firms": firms, "titles": titles})
    found = planned(Situation(standing(), panel), load_plans()["2025"], {})
    place = {firm: i for i, firm in enumerate(panel.firm_ids)}
    rows = np.array([place[firm] for firm in ids], dtype=np.intp)
    fits = found.fits
    deadlines = {i: days[rows] for i, days in fits.deadlines.items()}
    return replace(found, fits=Fits(fits.status[rows], fits.rung[rows], deadlines))


def ladder(count: int, seed: int = 0) -> Standing:
    """Sizes, groups and places on the ladder; the sixth firms hold the title (no score)."""
    random, number = np.random.default_rng(seed + 7), np.arange(count)

    def texts(values: list[str | None]) -> np.ndarray:
        return np.array(values, dtype=object)[random.integers(0, len(values), count)]

    outside = np.where(number % 6 == 0, OUTSIDE.index("holds_title"), 0).astype(np.int8)
    batch = {"id": "2024-little_giant", "state": "undeclared", "opens_on": None, "closes_on": None,
             "district_deadline": None, "quota": None, "covered": True}  # fmt: skip
    line = {"number": 9, "chance": 0.4, "shortfall": 6.0, "searched": 5, "unsearched": 3}
    rung = Rung(
        outside,
        random.integers(-1, 2, count).astype(np.int8),
        random.integers(0, 4, count).astype(np.int8),
        (number % 9 == 0).astype(np.int8),
        {"batch": batch, "line": line},
    )
    groups = texts(["G1", "G2", "G3", None, None])
    niches = texts(["轴承", "阀门", None])
    return Standing(texts([*SIZES, None]), groups, niches, {"little_giant": rung})


def casework(count: int = 60) -> Casework:
    """Casework on made-up records of the firms, without bundles."""
    number = range(count)
    named = [{"firm_id": f"F{i:06d}", "name": f"企业{i} Works"} for i in number]
    annual = [
        {"firm_id": f"F{i:06d}", "year": year, "revenue": 4000.0 + 100 * i, "rd_expense": 90.0,
         "currency": "CNY", "employees": 20.0 + i}
        for i in number
        for year in (2021, 2022, 2023)
    ]  # fmt: skip
    history = history_of({"firms": named, "annual": annual})
    return Casework(lambda _: history, no_bundle)


def no_bundle(identity: str) -> Bundle:
    """A casework without bundles."""
    raise NotFound(f"No bundle {identity}.")


def publication(
    count: int = 60, width: int = 12, seed: int = 0, tasks: tuple[str, ...] = TASKS
) -> Publication:
    frame = firms(count)
    ids = frame["firm_id"].tolist()
    random = np.random.default_rng(seed + 1000)
    # Handed in out of order: the snapshot must not depend on it.
    frame = frame.sample(frac=1, random_state=seed)
    stands = taken(ladder(count, seed), frame.index.to_numpy())
    day = date(2024, 6, 30) if seed == 0 else date(2024, 7, seed)
    return Publication(
        day,
        f"{seed:064x}",
        frame,
        {t: task_part(t, ids, width, seed + i) for i, t in enumerate(tasks)},
        Profile(features(width), random.normal(0, 1, (count, width))),
        verdicts(frame["firm_id"].tolist(), day, seed),
        plan_run(tuple(frame["firm_id"]), day),
        stands,
        "test",
    )


def taken(given: Standing, order: np.ndarray) -> Standing:
    """The same in another order of the firms."""
    rungs = {
        tier: Rung(r.outside[order], r.applied[order], r.stage[order], r.open[order], r.about)
        for tier, r in given.rungs.items()
    }
    return Standing(given.size[order], given.group[order], given.niche[order], rungs)
