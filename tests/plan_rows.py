"""A small city on which every row of the plan runs; shared by the tests of the plan."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import numpy as np
from plan_footing import footing_of
from plan_panels import panel_of

from features.panel import Panel
from policy.logic import MET, UNMET
from policy.plan.consequences import consequence
from policy.plan.footing import Footing
from policy.plan.result import Result

DAY = date(2024, 6, 30)


Record = dict[str, Any]


IDS = [
    "Z1", "Z2", "Z3", "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12",
    "G13", "G14", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12",
    "A13", "A14", "A15", "B1", "B2", "B3", "B4", "B5", "B6", "C1", "C2", "C3", "C4", "C5", "C6",
    "C6b", "C7", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13",
    "D14", "D14b", "D15", "D16", "D17", "D17b", "D18", "D19", "D20", "E1", "E2", "E3", "E4",
    "E4b", "E5", "E6", "F1", "F2", "F3", "F4", "F5", "F6", "H1", "H2", "H3", "H4", "H5", "J1",
    "J2", "J3", "J4", "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K8b", "K8c", "K9", "K10",
    "K11", "L1", "L2", "L3", "L4", "L4b", "L5", "M1", "M2", "M3", "M4", "M5", "M6",
]  # fmt: skip


def titled(firm: str, tier: str, issued: str, **more: Any) -> Record:
    on = date.fromisoformat(issued)
    own = {"purpose": "new", "expires_on": on.replace(year=on.year + 3)}
    return {"firm_id": firm, "tier": tier, "issued_on": on} | own | more


def finding(firm: str, criterion: str, **more: Any) -> Record:
    own = {"batch": "2024", "finding": "met", "attested_on": date(2024, 1, 10)}
    return {"firm_id": firm, "criterion": criterion} | own | more


@cache
def small_city() -> Panel:
    """A little giant, a provincial, a municipal, an innovative firm, two plain ones, one gone."""
    places = dict(zip("ABCDEFX", "甲甲乙乙丙丙丙", strict=True))
    firms = [
        {
            "firm_id": firm,
            "district": place,
            "is_manufacturing": float(firm in "ABD"),
            "industry_300": "industry",
            "founded_on": date(2022 if firm == "F" else 2008, 3, 1),
            "four_new_tag": "technology" if firm in "AB" else None,
            "local_feature_tag": float(firm == "C"),
            "irreplaceable_ip": float(firm == "A"),
            "city_out_on": date(2024, 2, 1) if firm == "X" else None,
        }
        for firm, place in places.items()
    ]
    titles = [
        titled("A", "little_giant", "2024-03-01"),
        titled("A", "srdi_provincial", "2022-03-01"),
        titled("B", "srdi_provincial", "2022-05-01", review_due=date(2024, 6, 1)),
        titled("C", "srdi_municipal", "2021-09-01"),
        titled("D", "innovative_sme", "2023-05-01"),
        titled("X", "srdi_municipal", "2022-05-01"),
    ]
    annual = [
        {
            "firm_id": firm,
            "year": year,
            "revenue": 1700.0 * (1 + n) * (1.25 if year == 2023 else 1.0),
            "main_revenue": 1400.0 * (1 + n) * (1.25 if year == 2023 else 1.0),
            "net_profit": 300.0 * (1 + n),
            "rd_expense": 90.0 * (1 + n),
            "employees": 100 + 10 * n + (year - 2022),
            "tax_paid": 50.0,
            "years_in_niche": 5.0,
            "niche_rank_province": 3 + n,
            "supplies_chain_leader": float(firm in "AC"),
            "fills_gap_flag": float(firm == "A"),
            "quality_benchmark_level": "prov" if firm == "B" else "none",
            "class1_ip_self": 2 - n % 3,
            "valuation_usd": 150.0 if firm == "F" else 1.0,
        }
        for n, firm in enumerate("FEDCBA")
        for year in (2022, 2023)
    ]
    applications = [
        {
            "firm_id": "B",
            "tier": "little_giant",
            "batch": "2024",
            "purpose": "new",
            "submitted_on": date(2024, 5, 1),
            "district_result": "passed",
            "city_result": "pending",
        },
        {
            "firm_id": "E",
            "tier": "innovative_sme",
            "batch": "2024",
            "purpose": "new",
            "submitted_on": date(2024, 5, 1),
            "district_result": "failed",
            "final_result": "failed",
            "decided_on": date(2024, 6, 1),
        },
    ]
    activities = [
        {"kind": kind, "district": "甲", "on": date(2024, 4, 1), "events_held": 2}
        | {"firms_attending": 30}
        for kind in ("matching", "listing_training", "manager_training", "exchange")
    ]
    attestations = [
        finding("A", "pool:listing_reserve"),
        finding("C", "pool:gazelle"),
        finding("D", "pool:unicorn"),
        finding("A", "A4", attested_by="张三"),
        finding("B", "A4", attested_by="李四"),
    ]
    events = [
        {"firm_id": "A", "kind": "listed", "on": date(2024, 5, 1), "board": "bse"},
        {"firm_id": "C", "kind": "quoted", "on": date(2023, 5, 1), "board": "regional"},
        {"firm_id": "B", "kind": "park_entry", "on": date(2023, 5, 1)},
    ]
    credit = [
        {"firm_id": firm, "year": 2023, "guarantee_fee_pct": 1.2, "guarantee_balance": 100.0}
        for firm in "AB"
    ]
    tables = {
        "firms": firms, "titles": titles, "annual": annual, "applications": applications,
        "activities": activities, "attestations": attestations, "events": events, "credit": credit,
    }  # fmt: skip
    return panel_of(DAY, tables)


def verdicts(tier: str) -> Any:
    """A tier's verdict for A to F and X: the first two meet it."""
    if tier == "unicorn":
        return None
    return np.array([MET, MET, UNMET, UNMET, UNMET, UNMET, UNMET], dtype=np.int8)


@cache
def footing() -> Footing:
    return footing_of(
        small_city(),
        tasks={"G3": {"甲": 2, "乙": 1}, "G4": {"甲": 2}},
        budgets={2024: {"甲": 300.0}},
        ground={"status": verdicts},
        rng=np.random.default_rng(1),
    )


def run(name: str) -> Result:
    return consequence(name, footing())


def listed(found: Result, **where: Any) -> str:
    rows = found.table
    for column, value in where.items():
        rows = rows[(rows[column] == value).to_numpy()]
    return "".join(sorted(rows["firm_id"]))
