"""Proofs of paths: none uses a forbidden move or breaks an identity; none is beaten."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path as File

import numpy as np

from benchmarks.path_firms import firms, paths_of
from benchmarks.proof_item import Proof
from policy.law import Law
from policy.loading import standing
from policy.logic import UNMET
from policy.path.finding import Paths
from policy.path.result import Path
from policy.path.size import size_of
from policy.values import Inputs, Values
from policy.verdict import judge

DAYS = (date(2024, 3, 1), date(2026, 3, 16), date(2026, 5, 10))
TIERS = ("innovative_sme", "tech_sme", "srdi_municipal", "srdi_provincial", "little_giant")
AT_ONCE = 400
CLOSE = 1e-6

# Written out here once more, so that the check shares nothing with the search or its data.
IDENTITIES = (
    ("revenue", {"main_revenue": 1, "other_operating_income": 1}),
    ("total_assets", {"total_liabilities": 1, "net_assets": 1}),
    ("gross_profit", {"revenue": 1, "cost_of_sales": -1}),
    ("operating_profit", {
        "revenue": 1, "cost_of_sales": -1, "selling_expense": -1, "admin_expense": -1,
        "financial_expense": -1, "rd_expense": -1,
    }),
    ("cost_expense_total", {
        "cost_of_sales": 1, "selling_expense": 1, "admin_expense": 1, "financial_expense": 1,
        "rd_expense": 1,
    }),
)  # fmt: skip
NEVER_LOWER = {
    "revenue", "main_revenue", "employees", "rd_staff", "tech_staff", "total_assets",
    "net_assets", "share_capital", "rd_expense", "rd_invest",
}  # fmt: skip
NEVER_CHANGE = {
    "selling_expense", "admin_expense", "financial_expense", "ip_transferred_in", "founded_on",
    "niche_start_on", "years_in_niche", "st_award_level", "st_award_rank", "main_product_field",
    "prohibited_product",
}  # fmt: skip


def sound(sample: bool) -> dict[str, object]:
    """Answers that change something, over all tiers and both regimes, each checked by itself."""
    goal, law = (500 if sample else 10_000), standing()
    seen: Counter[str] = Counter()
    seed = 0
    while seen["paths"] < goal:
        for day in DAYS:
            inputs = firms(law, AT_ONCE, seed, day)
            seed += 1
            for tier in TIERS:
                _count(law, paths_of(law, inputs, tier), inputs, goal, seen)
    kinds = ("forbidden moves", "broken identities", "closed years", "not met", "refused before")
    return {
        "firms asked": seen["asked"],
        "paths asked for": goal,
        "paths": seen["paths"],
        **{kind: seen[kind] for kind in kinds},
        "not within two years": seen["not_within_two_years"],
        "blocked": seen["blocked"],
    }


def _count(law: Law, prepared: Paths, inputs: Inputs, goal: int, seen: Counter[str]) -> None:
    for row in range(len(inputs.firm_ids)):
        if seen["paths"] >= goal:
            return
        path = prepared.of(row)
        seen["asked"] += 1
        seen[path.status] += 1
        for answer in (path, path.other):
            if answer is not None and answer.changes:
                seen["paths"] += 1
                seen.update(_wrong(law, prepared, row, answer))


def _wrong(law: Law, prepared: Paths, row: int, path: Path) -> Iterator[str]:
    """Every kind of fault of an answer, read from what it says each open year shows."""
    stage = next(s for s in prepared.stages if s.batch.year == path.batch_year)
    still = stage.inputs.take([row])
    before = {name: float(values[0]) for name, values in still.columns.items()}
    after = dict(before)
    for year, figures in path.figures.items():
        if year <= prepared.now.data_year:
            yield "closed years"
        for name, value in figures.items():
            lag = stage.batch.data_year - year
            after[f"{name}[-{lag}]" if lag else name] = value
    yield from _moves(before, after)
    yield from _sums(before, after, stage.years)
    changed = after | size_of(law, after)
    verdicts = [
        judge(
            stage.edition,
            Values(law, still.replaced({n: np.array([v]) for n, v in columns.items()})),
            prepared.tier[1],
        ).criteria[0]
        for columns in (before, changed)
    ]
    if (verdicts[1] == UNMET).any():
        yield "not met"
    if not (verdicts[0] == UNMET).any():
        yield "refused before"  # a change where time alone would do


def _moves(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    for name, value in before.items():
        base, moved = name.partition("[")[0], after[name] - value
        lowered = base in NEVER_LOWER and moved < -CLOSE
        if lowered or (base in NEVER_CHANGE and abs(moved) > 0.0):
            yield "forbidden moves"


def _sums(before: Mapping[str, float], after: Mapping[str, float], years: int) -> Iterator[str]:
    for lag in range(years):
        tag = f"[-{lag}]" if lag else ""
        for whole, parts in IDENTITIES:
            terms = {whole + tag: -1, **{name + tag: sign for name, sign in parts.items()}}
            if any(math.isnan(before.get(name, math.nan)) for name in terms):
                continue
            gaps = [sum(side[n] * sign for n, sign in terms.items()) for side in (before, after)]
            if abs(gaps[1] - gaps[0]) > CLOSE * max(1.0, abs(after[whole + tag])):
                yield "broken identities"


def exhaustive(sample: bool) -> dict[str, object]:
    """Small random firms and editions against every change on the grid, by the tests themselves."""
    times = 1 if sample else 20
    root = File(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
               "tests/test_policy_path.py", "tests/test_policy_path_program.py"]  # fmt: skip
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"TIDU_PATH_CASES": str(times)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)
    return {"random cases": 400 * times, "different": int(done.returncode != 0)}


PROOFS = [
    Proof(
        "path-sound",
        "of 10 000 paths none uses a forbidden move, breaks an identity or misses its tier",
        sound,
        holds=lambda r: (
            int(str(r["paths"])) >= int(str(r["paths asked for"]))
            and not any(
                r[kind]
                for kind in ("forbidden moves", "broken identities", "closed years", "not met",
                             "refused before")
            )
        ),
        issue=3,
    ),
    Proof(
        "path-exhaustive",
        "a path is what exhaustive search with the verdict finds",
        exhaustive,
        holds=lambda r: r["different"] == 0,
        issue=3,
    ),
]  # fmt: skip
