"""Panels and readings of the plan's targets, shared by their tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from plan_footing import footing_of
from plan_panels import panel_of

from features.panel import Panel
from policy.plan.files import load_plans
from policy.plan.stock import Titles
from policy.plan.targets import Target, target

Record = dict[str, Any]

DAY = date(2024, 6, 30)
AFTER = date(2026, 6, 30)
GONE = ("closure", "dissolved")
GIANTS = Titles(("little_giant",), GONE)
TARGETS = tuple(row.id for row in load_plans()["2025"].rows if row.kind == "target")


def day(text: str) -> date:
    return date.fromisoformat(text)


def titled(firm: str, tier: str, issued: str, **more: Any) -> Record:
    """A new title, valid for three years if nothing else is said."""
    on = day(issued)
    own = {"purpose": "new", "expires_on": on.replace(year=on.year + 3)}
    dates = {k: day(v) if isinstance(v, str) and k.endswith("_on") else v for k, v in more.items()}
    return {"firm_id": firm, "tier": tier, "issued_on": on} | own | dates


def found(row: str, panel: Panel, **more: Any) -> Target:
    footing = footing_of(panel, **more)
    return target(footing.plan.row(row), footing)


@dataclass(frozen=True)
class Walk:
    """What is on record, asked firm by firm and day by day."""

    panel: Panel
    titles: Titles

    @cached_property
    def firms(self) -> dict[Any, dict[Any, Any]]:
        return self.panel.firms.to_dict("index")

    @cached_property
    def rows(self) -> list[dict[Any, Any]]:
        table = self.panel.tables["titles"].sort_values("issued_on")
        return [r for r in table.to_dict("records") if r["tier"] in self.titles.tiers]

    def here(self, firm: str, on: date) -> bool:
        record = self.firms.get(firm, {})
        came, left = (known(record.get(name)) for name in ("city_in_on", "city_out_on"))
        if record.get("registered_in_city") == 0:
            return False
        if came is not None and left is not None and came > left:
            return not left <= on < came
        return (came is None or came <= on) and (left is None or on < left)

    def gone(self, firm: str, on: date) -> bool:
        ends = self.panel.tables["events"].to_dict("records")
        return any(
            e["firm_id"] == firm and e["kind"] in GONE and known(e["on"]) <= on for e in ends
        )

    def titled(self, firm: str, on: date) -> bool:
        return any(r["firm_id"] == firm and valid(r, on) for r in self.rows)

    def held(self, on: date) -> set[str]:
        owners = {r["firm_id"] for r in self.rows if valid(r, on)}
        return {f for f in owners if self.here(f, on) and not self.gone(f, on)}

    def recognised(self, end: date) -> dict[str, date]:
        """Per firm the last new recognition in the city."""
        seen: set[str] = set()
        found: dict[str, date] = {}
        for row in self.rows:
            firm, issued = row["firm_id"], row["issued_on"].date()
            new = row["purpose"] == "new" or (pd.isna(row["purpose"]) and firm not in seen)
            seen.add(firm)
            if new and issued <= end and self.here(firm, issued):
                found[firm] = issued
        return found

    def cause(self, firm: str, end: date) -> str:
        """What has been missing for longest, without a break, when the period ends."""
        since = {}
        for name in ("title", "firm", "stay"):
            on = end
            while self.missing(name, firm, on) and on > date(2020, 12, 31):
                on -= timedelta(days=1)
            since[name] = on
        first = min(since, key=lambda name: since[name])
        if first != "title":
            return {"firm": "gone", "stay": "moved_out"}[first]
        own = [r for r in self.rows if r["firm_id"] == firm and r["issued_on"].date() <= end]
        stopped = [known(r["revoked_on"]) for r in own]
        return "revoked" if since["title"] + timedelta(days=1) in stopped else "expired"

    def missing(self, name: str, firm: str, on: date) -> bool:
        if name == "title":
            return not self.titled(firm, on)
        return self.gone(firm, on) if name == "firm" else not self.here(firm, on)


def known(moment: Any) -> Any:
    return None if pd.isna(moment) else moment.date()


def valid(row: Mapping[str, Any], on: date) -> bool:
    ends, stop = known(row["expires_on"]), known(row["revoked_on"])
    running = (ends is None or on <= ends) and (stop is None or on < stop)
    return bool(row["issued_on"].date() <= on and running)


def oracle(panel: Panel, titles: Titles, start: date, end: date) -> dict[str, set[str]]:
    walk = Walk(panel, titles)
    before, after, ever = walk.held(start), walk.held(end), walk.recognised(end)
    new = {firm for firm, on in ever.items() if on > start} - before
    flows = {"stock": after, "cumulative": set(ever), "new": new, "other_in": after - before - new}
    causes = {firm: walk.cause(firm, end) for firm in (before | new) - after}
    kinds = ("expired", "revoked", "moved_out", "gone")
    return flows | {kind: {f for f, cause in causes.items() if cause == kind} for kind in kinds}


days = st.dates(date(2021, 1, 1), date(2024, 6, 30))


@st.composite
def cities(draw: st.DrawFn) -> dict[str, list[Record]]:
    firms, titles, events = [], [], []
    for firm in "ABCD"[: draw(st.integers(1, 4))]:
        firms.append(
            {
                "firm_id": firm,
                "district": draw(st.sampled_from(["甲", "乙", None])),
                "city_in_on": draw(st.none() | days),
                "city_out_on": draw(st.none() | days),
                "registered_in_city": draw(st.sampled_from([None, 1, 1, 0])),
            }
        )
        issued = draw(st.lists(days, max_size=3, unique=True))
        for on in issued:
            length = draw(st.none() | st.integers(100, 1_200))
            stop = draw(st.none() | st.integers(1, 900))
            titles.append(
                {
                    "firm_id": firm,
                    "tier": draw(st.sampled_from(["little_giant", "little_giant", "gazelle"])),
                    "issued_on": on,
                    "expires_on": None if length is None else on + timedelta(days=length),
                    "revoked_on": None if stop is None else on + timedelta(days=stop),
                    "purpose": draw(st.sampled_from(["new", "new", "review", None])),
                }
            )
        if draw(st.integers(0, 5)) == 0:
            events.append({"firm_id": firm, "kind": "dissolved", "on": draw(days)})
    return {"firms": firms, "titles": titles, "events": events}


def giants(**more: Any) -> Panel:
    """Nine firms, each with one fate in 2024."""
    titles = [
        titled("A", "little_giant", "2022-05-01"),
        titled("B", "little_giant", "2024-03-01"),
        titled("C", "little_giant", "2021-02-01"),
        titled("D", "little_giant", "2022-05-01", revoked_on="2024-02-01"),
        titled("E", "little_giant", "2022-05-01"),
        titled("F", "little_giant", "2022-05-01"),
        titled("G", "little_giant", "2020-05-01"),
        titled("G", "little_giant", "2024-05-01", purpose="review"),
        titled("H", "srdi_provincial", "2023-05-01"),
        titled("I", "little_giant", "2024-01-15", revoked_on="2024-04-15"),
        titled("K", "little_giant", "2021-05-01", purpose="review"),
    ]
    firms = [
        {"firm_id": f, "district": d}
        for f, d in zip("ABCDEFGHIK", "甲乙甲甲乙乙甲甲乙甲", strict=True)
    ]
    firms[4]["city_out_on"] = day("2024-04-01")
    events = [{"firm_id": "F", "kind": "closure", "on": day("2024-05-05")}]
    return panel_of(DAY, {"firms": firms, "titles": titles, "events": events} | more)


def accounts(firm: str, year: int = 2023, **figures: Any) -> Record:
    return {"firm_id": firm, "year": year, **figures}


def srdi(firms: list[Record], annual: list[Record], **more: Any) -> Panel:
    """SRDI firms, all of the city; Z holds no title."""
    titles = [titled(f["firm_id"], "srdi_municipal", "2023-05-01") for f in firms]
    all_firms = [*firms, {"firm_id": "Z", "district": "乙"}]
    tables = {"firms": all_firms, "titles": titles, "annual": annual}
    return panel_of(DAY, tables | more)


def growth_city() -> Panel:
    """A and B are specialised (75 % and more), C is not; B made a loss the year before."""
    firms = [{"firm_id": f, "district": "甲"} for f in "ABC"]
    annual = [
        accounts("A", 2022, main_revenue=100.0, net_profit=10.0),
        accounts("A", revenue=140.0, main_revenue=110.0, net_profit=13.0),
        accounts("B", 2022, main_revenue=300.0, net_profit=-5.0),
        accounts("B", revenue=400.0, main_revenue=300.0, net_profit=20.0),
        accounts("C", 2022, main_revenue=100.0, net_profit=10.0),
        accounts("C", revenue=400.0, main_revenue=200.0, net_profit=90.0),
    ]
    return srdi(firms, annual)


def event(firm: str, kind: str, on: str, **more: Any) -> Record:
    return {"firm_id": firm, "kind": kind, "on": day(on), **more}


def finding(firm: str, criterion: str, **more: Any) -> Record:
    own = {"batch": "2024", "finding": "met", "attested_on": day("2024-01-10")}
    return {"firm_id": firm, "criterion": criterion} | own | more


def held(kind: str, district: str, on: str, **more: Any) -> Record:
    return {"kind": kind, "district": district, "on": day(on), **more}


def whole_city(as_of: date = DAY) -> Panel:
    """A few dozen firms with something of everything, for what must hold of all targets."""
    draw = np.random.default_rng(3)
    tiers = [
        "innovative_sme",
        "srdi_municipal",
        "srdi_provincial",
        "little_giant",
        "single_champion",
    ]
    firms, titles, annual, credit, events = [], [], [], [], []
    for i in range(60):
        firm = f"F{i:02d}"
        firms.append(
            {
                "firm_id": firm,
                "district": "甲乙丙"[i % 3],
                "four_new_tag": "technology" if i % 2 else None,
                "local_feature_tag": float(i % 4 == 0),
                "city_out_on": day("2025-03-01") if i % 10 == 9 else None,
            }
        )
        for rank, tier in enumerate(tiers[: 1 + i % 5]):
            titles.append(titled(firm, tier, f"{2019 + (i + rank) % 5}-0{1 + i % 9}-15"))
        for year in range(2018, 2026):
            revenue = 1000.0 * draw.uniform(0.8, 1.5) * 1.05 ** (year - 2018)
            annual.append(
                accounts(
                    firm,
                    year,
                    revenue=revenue,
                    main_revenue=revenue * draw.uniform(0.6, 1.0),
                    net_profit=revenue * draw.uniform(0.02, 0.1),
                    rd_expense=revenue * draw.uniform(0.01, 0.08),
                    supplies_chain_leader=float(draw.random() < 0.3),
                    niche_rank_province=int(draw.integers(1, 30)),
                    quality_benchmark_level=str(draw.choice(["none", "city", "prov"])),
                    class1_ip_self=int(draw.integers(0, 3)),
                )
            )
        fee = {"guarantee_fee_pct": 0.5 + i / 60, "guarantee_balance": 100.0}
        credit.append({"firm_id": firm, "year": 2023, **fee})
        if i % 6 == 0:
            events.append(event(firm, "listed", f"202{2 + i % 4}-02-0{1 + i % 8}", board="bse"))
            events.append(
                event(firm, "quoted", f"202{1 + i % 4}-02-0{1 + i % 8}", board="regional")
            )
    activities = [
        held(kind, place, f"{year}-04-0{1 + j}", events_held=2, firms_attending=20)
        for kind in ("matching", "listing_training", "manager_training", "exchange")
        for year in range(2019, 2026)
        for j, place in enumerate("甲乙")
    ]
    members = [finding(f"F{i:02d}", "pool:listing_reserve") for i in range(0, 60, 7)]
    tables = {
        "firms": firms, "titles": titles, "annual": annual, "credit": credit, "events": events,
        "activities": activities, "attestations": members,
    }  # fmt: skip
    return panel_of(as_of, tables)
