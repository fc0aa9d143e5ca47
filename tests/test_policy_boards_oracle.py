"""北交所 and 科创板 read a second time: sets and attributes of whole figures, in plain fractions.

Figures lie at the bounds of the rules and a step beside them; nothing here reads the law's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from policy.loading import standing
from policy.logic import MET, NOT_APPLICABLE, UNMET
from policy.metrics import column_of
from policy.values import Inputs, Values
from policy.verdict import judge

FIRMS = 4_000
DAY = date(2026, 6, 30)
GRIDS: Mapping[str, tuple[float, ...]] = {
    "market_cap_est": (
        1.99, 2, 3.99, 4, 7.99, 8, 9.99, 10, 14.99, 15, 19.99, 20, 29.99, 30, 39.99, 40,
    ),
    "net_profit": (-300, 0, 0.01, 1499.99, 1500, 2499.99, 2500, 3500),
    "net_profit_adj": (-300, 0, 0.01, 1499.99, 1500, 2499.99, 2500, 3500),
    "weighted_roe_pct": (6, 7.99, 8, 8.01, 10),
    "revenue": (8500, 9999.99, 10000, 11500, 13000, 19999.99, 20000, 21600, 29999.99, 30000),
    "operating_cash_flow": (-1, 0, 0.01, 2000, 3999.99, 4000, 5000),
    "rd_invest": (0, 800, 1000, 1999.99, 2000, 2499.99, 2500, 3000, 4000),
    "rd_staff": (9, 10, 11, 999),
    "employees": (100, 101, 10000),
    "invention_patents_applied": (4, 5, 6, 7, 49, 50),
}  # fmt: skip
LAGS = {"net_profit": 1, "net_profit_adj": 1, "weighted_roe_pct": 1, "revenue": 3,
        "operating_cash_flow": 2, "rd_invest": 2}  # fmt: skip
BEFORE = (10000.0, 10240.0, 12500.0, 15360.0, 16000.0)
"""Revenue three years before: 20000 over 10240 is 25 % a year, 21600 over 12500 is 20 %."""
EXCEPTIONS = ("leading_technology", "national_award", "major_project", "import_substitution")


def drawn(seed: int) -> Inputs:
    rng, columns = np.random.default_rng(seed), {}
    for name, grid in GRIDS.items():
        for lag in range(LAGS.get(name, 0) + 1):
            columns[f"{name}[-{lag}]" if lag else name] = rng.choice(grid, FIRMS)
    columns["revenue[-3]"] = rng.choice(BEFORE, FIRMS)
    column = column_of("industry_300")
    assert column is not None
    trades = [list(column.codes).index(code) for code in ("software", "industry")]
    columns["industry_300"] = rng.choice(trades, FIRMS).astype(float)
    columns |= {f"basis[-{lag}]" if lag else "basis": np.zeros(FIRMS) for lag in range(4)}
    rare = dict.fromkeys(EXCEPTIONS, 0.03) | {"staged_results": 0.3}
    findings = {
        name: np.where(rng.random(FIRMS) < share, MET, UNMET).astype(np.int8)
        for name, share in rare.items()
    }
    ids = np.array([f"F{i:04d}" for i in range(FIRMS)], dtype=object)
    return Inputs(ids, DAY, 2025, columns, findings)


class Firm:
    """One firm's figures as fractions, and what officials found."""

    def __init__(self, inputs: Inputs, row: int) -> None:
        self.of = {n: Fraction(repr(float(c[row]))) for n, c in inputs.columns.items()}
        self.found = {n: bool(f[row] == MET) for n, f in inputs.findings.items()}

    def years(self, name: str, count: int) -> list[Fraction]:
        return [self.of[f"{name}[-{lag}]" if lag else name] for lag in range(count)]

    @property
    def profits(self) -> list[Fraction]:
        both = (self.years(name, 2) for name in ("net_profit", "net_profit_adj"))
        return [min(pair) for pair in zip(*both, strict=True)]


def beijing(firm: Firm) -> bool:
    cap, (now, before), (roe, roe_before) = (
        firm.of["market_cap_est"], firm.profits, firm.years("weighted_roe_pct", 2)
    )  # fmt: skip
    (revenue, last), rd = firm.years("revenue", 2), sum(firm.years("rd_invest", 2))
    two = min(now, before) >= 1500 and (roe + roe_before) / 2 >= 8
    return (
        (cap >= 2 and (two or (now >= 2500 and roe >= 8)))
        or (
            cap >= 4
            and (revenue + last) / 2 >= 10_000
            and revenue * 100 >= last * 130
            and firm.of["operating_cash_flow"] > 0
        )
        or (cap >= 8 and revenue >= 20_000 and rd * 100 >= 8 * (revenue + last))
        or (cap >= 15 and rd >= 5_000)
    )


def star(firm: Firm) -> bool:
    cap, (now, before), revenue = firm.of["market_cap_est"], firm.profits, firm.of["revenue"]
    rd, whole = sum(firm.years("rd_invest", 3)), sum(firm.years("revenue", 3))
    earns = now > 0 and ((before > 0 and now + before >= 5_000) or revenue >= 10_000)
    return (
        (cap >= 10 and earns)
        or (cap >= 15 and revenue >= 20_000 and rd * 100 >= 15 * whole)
        or (cap >= 20 and revenue >= 30_000 and sum(firm.years("operating_cash_flow", 3)) >= 10_000)
        or (cap >= 30 and revenue >= 30_000)
        or (cap >= 40 and firm.found["staged_results"])
    )


def attributes(firm: Firm, total: int, least: int, percent: int, soft: float) -> list[int]:
    """The statuses of R&D, staff, patents and revenue."""
    software, patents = firm.of["industry_300"] == soft, firm.of["invention_patents_applied"]
    rd, whole = sum(firm.years("rd_invest", 3)), sum(firm.years("revenue", 3))
    revenue, first = firm.of["revenue"], firm.of["revenue[-3]"]
    instead = patents >= 50 or any(firm.found[name] for name in EXCEPTIONS)
    set_5 = firm.of["market_cap_est"] >= 40 and firm.found["staged_results"]
    holds = [
        rd * 10 >= whole if software else rd * 20 >= whole or rd >= total,
        firm.of["rd_staff"] * 10 >= firm.of["employees"],
        patents >= least,
        revenue >= 30_000 or revenue * 100**3 >= first * (100 + percent) ** 3,
    ]
    aside = [instead, instead, instead or software, instead or set_5 or firm.profits[0] <= 0]
    return [
        NOT_APPLICABLE if out else MET if met else UNMET
        for met, out in zip(holds, aside, strict=True)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_sets_of_beijing_agree_with_a_second_reading(seed: int) -> None:
    inputs, edition = drawn(seed), standing().edition("bse-listing/2.1")
    verdict = judge(edition, Values(standing(), inputs))
    place = [c.id for c in edition.criteria].index("standards")
    wanted = [MET if beijing(Firm(inputs, row)) else UNMET for row in range(FIRMS)]
    assert verdict.criteria[:, place].tolist() == wanted
    assert 0.1 < np.mean(np.array(wanted) == MET) < 0.9


@pytest.mark.parametrize(
    ("edition", "total", "least", "percent"),
    [("star/2021", 6_000, 5, 20), ("star/2024", 8_000, 7, 25)],
)
@pytest.mark.parametrize("seed", range(3))
def test_sets_and_attributes_of_star_agree_with_a_second_reading(
    seed: int, edition: str, total: int, least: int, percent: int
) -> None:
    inputs, law = drawn(seed), standing()
    verdict = judge(law.edition(edition), Values(law, inputs))
    names = [c.id for c in law.edition(edition).criteria]
    places = [names.index(n) for n in ("standards", "rd", "rd_staff", "patents", "revenue")]
    soft = float(law.metrics["industry_300"].codes.index("software"))
    wanted = [
        [MET if star(firm) else UNMET, *attributes(firm, total, least, percent, soft)]
        for firm in (Firm(inputs, row) for row in range(FIRMS))
    ]
    assert (verdict.criteria[:, places] == np.array(wanted)).all()
    for column in np.array(wanted).T:
        assert {MET, UNMET} <= set(column.tolist())
