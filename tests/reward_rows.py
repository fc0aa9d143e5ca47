"""The plan's one-off rewards, and rows of titles, awards and events to write by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from plan_panels import panel_of

from policy.plan.claims import Reward, Terms
from policy.plan.relocation import Relocation
from policy.plan.settlement import Scheme

__all__ = [
    "AMOUNT",
    "DAY",
    "REVIEWED",
    "SCHEME",
    "TERMS",
    "TIER",
    "Row",
    "event",
    "moved",
    "new",
    "paid",
    "review",
]

DAY = date(2026, 11, 22)
AMOUNT = {"A7": 200.0, "A8": 50.0, "A9": 500.0, "A10": 100.0}
TIER = {
    "A7": "little_giant",
    "A8": "srdi_provincial",
    "A9": "single_champion",
    "A10": "single_champion_product",
}
SCHEME = Scheme(
    tuple(Reward(row, (tier,), AMOUNT[row], (f"{row}奖励",)) for row, tier in TIER.items()),
    Relocation("A15", ("A7", "A8"), 12, ("closure", "abnormal_list"), ("迁入奖励",)),
)
TERMS = Terms(since=date(2022, 1, 1), gone_kinds=("closure", "dissolved"))
REVIEWED = replace(TERMS, reviewed=frozenset({"A15"}))

Row = dict[str, Any]


def new(reward: str, day: str, **more: Any) -> Row:
    return {"tier": TIER[reward], "issued_on": date.fromisoformat(day), "purpose": "new"} | more


def review(reward: str, day: str) -> Row:
    return new(reward, day, purpose="review")


def paid(item: str, day: str, amount: float | None, year: int | None = None) -> Row:
    return {"item": item, "paid_on": date.fromisoformat(day), "amount": amount, "year": year}


def event(kind: str, day: str, ended: str | None = None, **more: Any) -> Row:
    end = date.fromisoformat(ended) if ended else None
    return {"kind": kind, "on": date.fromisoformat(day), "ended_on": end} | more


def moved(day: str | None, whole: int | None = 1, out: str | None = None) -> Row:
    return {
        "city_in_on": date.fromisoformat(day) if day else None,
        "whole_relocation": whole,
        "city_out_on": date.fromisoformat(out) if out else None,
    }


def city_of(firms: Sequence[tuple[Sequence[Row], Sequence[Row]]]) -> Any:
    ids = [f"F{i:03d}" for i in range(len(firms))]
    pairs = list(zip(ids, firms, strict=True))
    return panel_of(
        DAY,
        {
            "firms": [{"firm_id": f, "district": f"D{i % 3}"} for i, f in enumerate(ids)],
            "titles": [{"firm_id": firm} | row for firm, (rows, _) in pairs for row in rows],
            "awards": [{"firm_id": firm} | row for firm, (_, rows) in pairs for row in rows],
        },
    )
