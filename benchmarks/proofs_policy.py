"""Proofs of the law: all tiers of many firms in seconds, scenarios equal to judging anew."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.proof_item import Proof
from policy.inputs import names_of
from policy.loading import load
from policy.logic import NAMES
from policy.metrics import column_of
from policy.plan.simulation import Scenario, Today, passing, simulate
from policy.values import Inputs, Values
from policy.verdict import judge
from tidu.clock import parse_date

DAY = parse_date("2026-06-30")


def firms(n: int, seed: int = 0) -> Inputs:
    """Firms whose figures lie around the bounds; one cell in ten is unknown."""
    rng = np.random.default_rng(seed)
    columns = {}
    for name in sorted(names_of(load())):
        column = column_of(name)
        if column is None or column.dtype == "bool":  # look-ups, bases, truths
            values = (rng.random(n) < 0.2).astype(float)
        elif column.dtype == "code":
            values = rng.integers(0, len(column.codes), n).astype(float)
        else:
            values = np.round(np.exp(rng.uniform(0, 10, n)) - 1, 2)
        columns[name] = np.where(rng.random(n) < 0.1, np.nan, values)
    columns["registered_in_city"] = np.ones(n)
    columns["niche_start_on"] = rng.integers(12_000, 20_000, n).astype(float)
    columns["size_low()"] = columns["size_high()"] = rng.integers(0, 4, n).astype(float)
    columns["trade()"] = rng.integers(0, len(load().trades), n).astype(float)
    return Inputs(np.array([f"F{i:07d}" for i in range(n)], dtype=object), DAY, 2025, columns)


def speed(sample: bool) -> dict[str, object]:
    """100 000 firms by every edition, and 20 scenarios of the city's own tier."""
    n = 20_000 if sample else 100_000
    law, inputs = load(), firms(n)
    start = time.perf_counter()
    values = Values(law, inputs)
    verdicts = [judge(edition, values) for edition in law.editions.values()]
    judged = time.perf_counter() - start
    edition = law.edition("city/srdi_municipal")
    scenarios = [
        Scenario(f"{line}/{years}", {"municipal_score_line": line},
                 {"srdi_municipal": {"niche_years:niche_years": years}})
        for line in (40.0, 45.0, 50.0, 55.0, 60.0) for years in (1.0, 2.0, 3.0, 4.0)
    ]  # fmt: skip
    start = time.perf_counter()
    found = simulate(law, Today(edition, Values(law, inputs)), scenarios)
    simulated = time.perf_counter() - start
    return {
        "firms": n,
        "editions": len(verdicts),
        "seconds for all editions": round(judged, 2),
        "scenarios": len(found),
        "seconds for all scenarios": round(simulated, 2),
        "most that enter": max(int(e.enters.sum()) for e in found),
    }


def brute(sample: bool) -> dict[str, object]:
    """Each scenario against fresh values under a law that says so from the start.

    A quota is checked by sorting the firms that pass in plain Python.
    """
    n, law = (200 if sample else 2_000), load()
    inputs, edition = firms(n, 1), law.edition("city/srdi_municipal")
    different = compared = 0
    for line in (35.0, 50.0, 65.0):
        scenario = Scenario(str(line), {"municipal_score_line": line})
        effect = simulate(law, Today(edition, Values(law, inputs)), [scenario])[0]
        fresh = law.having({"municipal_score_line": line})
        for row in range(0, n, 10):
            alone = judge(edition, Values(fresh, inputs.take([row])))
            different += int(alone.status[0] != effect.verdict.status[row])
            compared += 1
        before = passing(judge(edition, Values(law, inputs)))
        different += int(
            ((effect.enters | before) & ~effect.leaves != passing(effect.verdict)).sum()
        )
        for quota in (0, 7, 50, n):
            limited = Scenario("", scenario.parameters, quotas={edition.tier: quota})
            side = simulate(law, Today(edition, Values(law, inputs)), [limited])[0].after
            points = side.verdict.scores["total"].low
            ahead = sorted(np.flatnonzero(side.passes), key=lambda i: (-points[i], i))
            different += int(set(ahead[:quota]) != set(np.flatnonzero(side.admitted)))
            compared += 1
    return {"compared": compared, "different": different, "statuses": len(NAMES)}


PROOFS = [
    Proof(
        "policy-speed",
        "100 000 firms by all editions within 5 s, 20 scenarios within 10 s",
        speed,
        holds=lambda r: (
            float(str(r["seconds for all editions"])) <= 5
            and float(str(r["seconds for all scenarios"])) <= 10
        ),
        issue=3,
    ),
    Proof(
        "policy-scenarios",
        "a scenario judges as a law that says so from the start",
        brute,
        holds=lambda r: r["different"] == 0 and int(str(r["compared"])) > 0,
        issue=3,
    ),
]
