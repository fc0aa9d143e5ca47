"""The titles of growth: every number is the city's, and each decides for some firm.

The gazelle is read a second time in exact fractions, without roots, of firms close to every line.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from random_firms import many

from policy.calendar import day_number
from policy.law import Law
from policy.loading import standing
from policy.logic import MET, UNMET
from policy.rules import Edition
from policy.values import Inputs, Values
from policy.verdict import judge

LAW = standing()
OWN = [LAW.edition(f"city/{tier}") for tier in ("gazelle", "unicorn", "potential_unicorn")]
NUMBERS = [(edition, name) for edition in OWN for name in sorted(edition.parameters)]


def firms(seed: int) -> Inputs:
    """Random firms, some of them as large as the largest lines."""
    inputs = many(seed, 4000)
    large = {
        name: np.where(np.arange(4000) % 2, column, column * 20)
        for name, column in inputs.columns.items()
        if name.startswith("revenue")
    }
    return inputs.replaced(large)


@pytest.mark.parametrize(("edition", "name"), NUMBERS, ids=lambda x: getattr(x, "id", x))
def test_each_number_of_the_city_decides_for_some_firm_and_in_one_sense(
    edition: Edition, name: str
) -> None:
    """An age is a most, everything else a least: a stricter number lets nobody in."""
    inputs, value = firms(1), float(str(LAW.parameters[name].value))
    strict = value / 3 if name.endswith("years") else value * 3 + 200
    before = judge(edition, Values(LAW, inputs)).criteria
    after = judge(edition, Values(LAW.having({name: strict}), inputs)).criteria
    assert ((before == MET) & (after == UNMET)).any()
    assert not ((before == UNMET) & (after == MET)).any()


def test_no_number_stands_in_these_editions_themselves() -> None:
    for edition in OWN:
        bounds = {
            (node.metric, node.bound.number)
            for criterion in edition.criteria
            for node in criterion.conditions()
            if hasattr(node, "bound") and not node.bound.param and node.op != "one_of"
        }
        # That there is any equity at all is no number to set.
        assert bounds <= {("equity_raised_qualified_3y", 0.0), ("prof_equity_24m", 0.0)}


# ------------------------------------------------------------------- a second reading, exact

DAY = date(2026, 6, 30)
BACK = ("", "[-1]", "[-2]", "[-3]")


def within(founded: date, years: int) -> bool:
    """Whether the day is not beyond the anniversary; 29 February has it on the 28th elsewhere."""
    year = founded.year + years
    return date(year, founded.month, min(founded.day, monthrange(year, founded.month)[1])) >= DAY


def gazelle(founded: date, figures: dict[str, int]) -> dict[str, bool]:
    """The Torch rule of a firm of which everything is known; money in hundredths of 万元."""
    revenue, staff = (lambda n: figures[f"revenue{n}"]), (lambda n: figures[f"employees{n}"])
    grew = revenue("") > revenue("[-1]")
    shares = [Fraction(100 * figures[f"rd_invest{n}"], revenue(n)) for n in BACK]
    by_revenue = (
        revenue("[-3]") >= 1000_00
        and 1000 * revenue("") >= 1728 * revenue("[-3]")  # 1.2 cubed
        and grew
    )
    by_staff = staff("[-3]") >= 100 and 1000 * staff("") >= 2197 * staff("[-3]")  # 1.3 cubed
    young = within(founded, 5) and revenue("") > 50_000_00
    large = within(founded, 10) and revenue("") > 100_000_00 and grew
    return {
        "age": within(founded, 15),
        "growth": by_revenue or by_staff or young or large,
        "rd_intensity": sum(shares) >= 10,  # 2.5 on the mean of four
    }


def near(rng: np.random.Generator) -> tuple[date, dict[str, int]]:
    """A firm close to the lines: to the day, to a hundredth, to a head."""
    off = int(rng.integers(-1, 2))
    founded = date(2026 - int(rng.choice([5, 10, 15])), 6, 30) + timedelta(days=off)
    base = int(rng.choice([999_99, 1000_00, 1000_01, 8000_00, 40_000_00]))
    revenue = int(rng.choice([50_000_00, 100_000_00, base * 1728 // 1000]))
    revenue += int(rng.integers(-1, 2))
    heads = int(rng.choice([99, 100, 101, 1000]))
    figures = {
        "revenue": revenue, "revenue[-1]": revenue + int(rng.integers(-1, 2)),
        "revenue[-2]": int(rng.choice([1000_00, 1234_56])), "revenue[-3]": base,
        "employees": heads * 2197 // 1000 + int(rng.integers(-1, 2)), "employees[-3]": heads,
    }  # fmt: skip
    spread = int(rng.integers(0, 3))
    for n, of_year in zip(BACK, (spread, -spread, spread, -spread), strict=True):
        exact = figures[f"revenue{n}"] * (25 + of_year * 10) // 1000
        figures[f"rd_invest{n}"] = max(0, exact + int(rng.integers(0, 2)))
    return founded, figures


@cache
def drawn() -> tuple[list[tuple[date, dict[str, int]]], Inputs]:
    rng = np.random.default_rng(7)
    found = [near(rng) for _ in range(6000)]
    columns = {
        name: np.array([f[name] for _, f in found]) / (1.0 if "employees" in name else 100.0)
        for name in found[0][1]
    }
    columns["founded_on"] = np.array([day_number(founded) for founded, _ in found])
    columns |= {f"basis{n}": np.zeros(len(found)) for n in BACK}
    ids = np.array([f"F{i:05d}" for i in range(len(found))], dtype=object)
    return found, Inputs(ids, DAY, 2025, columns)


def differing(law: Law) -> dict[str, int]:
    """How many firms the engine under a law judges otherwise than the second reading."""
    found, inputs = drawn()
    edition = law.edition("city/gazelle")
    verdict, wanted = judge(edition, Values(law, inputs)), [gazelle(*firm) for firm in found]
    differs = {}
    for place, criterion in enumerate(edition.criteria):
        if criterion.id in wanted[0]:
            expected = np.where([w[criterion.id] for w in wanted], MET, UNMET)
            assert 300 < (expected == MET).sum() < 5700, criterion.id
            differs[criterion.id] = int((verdict.criteria[:, place] != expected).sum())
    return differs


def test_gazelles_close_to_every_line_are_judged_as_exact_fractions_judge() -> None:
    assert differing(LAW) == {"age": 0, "growth": 0, "rd_intensity": 0}


@pytest.mark.parametrize("name", sorted(LAW.edition("city/gazelle").parameters))
@pytest.mark.parametrize("sense", [-1, 1])
def test_the_comparison_sees_the_least_move_of_every_number(name: str, sense: int) -> None:
    value = float(str(LAW.parameters[name].value))
    least = {"年": 0.003, "人": 1.0, "万元": 0.01, "%": 0.001}[LAW.parameters[name].unit]
    least = 0.03 if name == "gazelle_staff_cagr_pct" else least  # one head of 2197
    assert sum(differing(LAW.having({name: value + sense * least})).values()) > 0
