"""Targets: stock and flows against a slow oracle, every form by hand, names behind each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_footing import footing_of
from plan_panels import EVERYTHING, panel_of

from features.panel import Panel
from policy.logic import MET
from policy.plan.counting import ADDS_UP
from policy.plan.files import load_plans
from policy.plan.labels import WORDS
from policy.plan.outlook_history import Window, windows
from policy.plan.presence import looking_back, present
from policy.plan.rows import Row
from policy.plan.stock import FIGURES, Ledger, Titles
from policy.plan.targets import Target, completion, names, target, yearly
from tidu.errors import DataError, NotAvailable

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


# ---------------------------------------------------------------------- stock and flow: an oracle


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


@given(cities())
def test_stock_and_flows_equal_the_oracle_and_add_up(tables: dict[str, list[Record]]) -> None:
    panel = panel_of(DAY, tables)
    start = date(2023, 12, 31)
    ledger = Ledger.of(panel, GIANTS)
    people = ledger.people(start, DAY)
    wanted = oracle(panel, GIANTS, start, DAY)
    for figure in FIGURES:
        assert set(people.loc[people[figure], "firm_id"]) == wanted[figure], figure
    total = {figure: int(people[figure].sum()) for figure in FIGURES}
    out = sum(total[name] for name in ("expired", "revoked", "moved_out", "gone"))
    begun = int(ledger.holds(start).sum())
    assert begun + total["new"] + total["other_in"] - out == total["stock"]


@given(cities(), days)
def test_looking_back_sees_the_stock_that_a_panel_of_that_day_saw(
    tables: dict[str, list[Record]], then: date
) -> None:
    """All rows were always known here, so that only what happened later makes a difference."""
    back = looking_back(panel_of(DAY, tables), then)
    stock = Ledger.of(back, GIANTS)
    now = Ledger.of(panel_of(DAY, tables), GIANTS)
    assert set(stock.ids[stock.holds(then)]) == set(now.ids[now.holds(then)])
    assert back.as_of == then


def test_a_firm_that_came_back_was_away_in_between() -> None:
    firm = {"firm_id": "A", "city_out_on": day("2022-03-01"), "city_in_on": day("2023-03-01")}
    panel = panel_of(DAY, {"firms": [firm]})
    dates = ["2022-02-28", "2022-03-01", "2023-02-28", "2023-03-01"]
    seen = [bool(present(panel, panel.firm_ids, day(text))[0]) for text in dates]
    assert seen == [True, False, False, True]


def test_looking_back_a_firm_that_came_later_was_elsewhere() -> None:
    firms = [
        {"firm_id": "A", "city_in_on": day("2024-03-01")},
        {"firm_id": "B", "city_out_on": day("2024-01-01"), "city_in_on": day("2024-03-01")},
        {"firm_id": "C", "city_out_on": day("2023-01-01"), "city_in_on": day("2024-03-01")},
    ]
    back = looking_back(panel_of(DAY, {"firms": firms}), day("2023-12-31"))
    assert present(back, back.firm_ids, back.as_of).tolist() == [False, True, False]
    assert (footing_of(back).ground.present == MET).tolist() == [False, True, False]


# ------------------------------------------------------------------------------ titles, by hand


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


def test_the_fates_of_titles() -> None:
    result = found("G4", giants(), tasks={"G4": {"甲": 4, "丙": 2}})
    wanted = {
        "stock": "ABG",
        "cumulative": "ABCDEFGI",
        "new": "BI",
        "other_in": "G",
        "expired": "CK",
        "revoked": "DI",
        "moved_out": "E",
        "gone": "F",
    }
    assert {f: "".join(names(result, f)) for f in FIGURES} == wanted
    assert result.totals == {
        "value": 3.0,
        "goal": 100.0,
        "completion_pct": 3.0,
        "remaining": 97.0,
        "task_sum": 6.0,
        **{figure: float(len(firms)) for figure, firms in wanted.items()},
    }
    table = result.table.set_index("district")
    assert table.loc[["甲", "乙", "丙"], "value"].tolist() == [2.0, 1.0, 0.0]
    assert table.loc[["甲", "丙"], "completion_pct"].tolist() == [50.0, 0.0]
    assert table.loc["乙", ["task", "completion_pct"]].isna().all()
    assert names(result, "expired", "甲") == ("C", "K")
    said = " ".join(note.zh + note.en for note in result.notes)
    assert "任务分解合计6,全市目标100" in said
    assert "统计口径:有效存量" in said


def test_the_basis_may_be_all_ever_recognised() -> None:
    result = found("G4", giants(), parameters={"target_basis": "cumulative"})
    assert result.value == 8.0
    assert result.parameters["target_basis"] == "cumulative"
    assert len(names(result, "value")) == 8
    assert "统计口径:累计认定" in " ".join(note.zh for note in result.notes)


@pytest.mark.parametrize(
    ("row", "switch", "with_it", "without"),
    [
        ("G3", "provincial_counts_little_giants", "BCD", "BC"),
        ("G2", "srdi_counts_provincial", "ABCDE", "ADE"),
        ("G2", "srdi_counts_little_giants", "ABCDE", "ABCE"),
        ("G2", "srdi_counts_champions", "ABCDE", "ABCD"),
        ("G1", "innovative_counts_higher", "ABCDEF", "CF"),
    ],
)
def test_overlaps_are_the_citys_to_decide(
    row: str, switch: str, with_it: str, without: str
) -> None:
    """C holds two titles and counts once, whatever is decided."""
    held = [
        ("A", "srdi_municipal"),
        ("B", "srdi_provincial"),
        ("C", "srdi_provincial"),
        ("C", "innovative_sme"),
        ("D", "little_giant"),
        ("E", "single_champion_product"),
        ("F", "innovative_sme"),
    ]
    titles = [titled(firm, tier, "2023-05-01") for firm, tier in held]
    panel = panel_of(DAY, {"firms": [{"firm_id": f} for f in "ABCDEF"], "titles": titles})
    for decided, firms in ((True, with_it), (False, without)):
        result = found(row, panel, parameters={switch: decided})
        assert "".join(names(result, "value")) == firms
        assert result.parameters[switch] is decided


def test_a_firm_with_several_champion_products_is_one_firm() -> None:
    rows = [
        titled("A", "single_champion_product", "2022-05-01"),
        titled("A", "single_champion_product", "2023-05-01"),
        titled("A", "single_champion", "2023-05-01"),
    ]
    assert found("G5", panel_of(DAY, {"firms": [{"firm_id": "A"}], "titles": rows})).value == 1.0


# ------------------------------------------------------------------------------- no data, never 0


@pytest.mark.parametrize("row", TARGETS)
def test_without_any_row_there_is_no_data(row: str) -> None:
    result = found(row, panel_of(DAY, {"firms": [{"firm_id": "A"}]}, covered=[]))
    assert result.value is None
    assert result.completion_pct is None
    assert result.remaining is None
    assert result.forecast is None
    assert result.table["value"].isna().all()
    assert any(note.en in ("No data", "No membership is on record") for note in result.notes)


def test_where_absence_means_something_it_is_a_zero() -> None:
    panel = panel_of(DAY, {"firms": [{"firm_id": "A", "district": "甲"}]})
    for row in ("G1", "G4", "D8", "D9"):
        result = found(row, panel)
        assert (result.value, result.completion_pct) == (0.0, 0.0), row
    assert found("G6", panel).value == 0.0  # nobody holds a title: the base is known to be empty


def test_a_missing_column_is_no_data_and_a_missing_cell_is_unknown() -> None:
    titles = [titled(f, "srdi_municipal", "2023-05-01") for f in "AB"]
    firms: list[Record] = [{"firm_id": f} for f in "AB"]
    assert found("G12", panel_of(DAY, {"firms": firms, "titles": titles})).value is None
    firms[0]["local_feature_tag"] = 0
    result = found("G12", panel_of(DAY, {"firms": firms, "titles": titles}))
    assert (result.value, result.totals["unknown"]) == (0.0, 1.0)
    assert names(result, "unknown") == ("B",)


# ----------------------------------------------------------------------- targets over firms


def accounts(firm: str, year: int = 2023, **figures: Any) -> Record:
    return {"firm_id": firm, "year": year, **figures}


def srdi(firms: list[Record], annual: list[Record], **more: Any) -> Panel:
    """SRDI firms, all of the city; Z holds no title."""
    titles = [titled(f["firm_id"], "srdi_municipal", "2023-05-01") for f in firms]
    all_firms = [*firms, {"firm_id": "Z", "district": "乙"}]
    tables = {"firms": all_firms, "titles": titles, "annual": annual}
    return panel_of(DAY, tables | more)


def test_four_new_firms_and_both_means_of_their_research() -> None:
    firms = [
        {"firm_id": "A", "district": "甲", "four_new_tag": "technology"},
        {"firm_id": "B", "district": "乙", "four_new_tag": "industry;model"},
        {"firm_id": "C", "district": "乙"},
    ]
    annual = [
        accounts("A", revenue=1000.0, rd_expense=80.0),
        accounts("B", revenue=3000.0, rd_expense=60.0),
        accounts("C", revenue=10.0, rd_expense=9.0),
        accounts("Z", revenue=10.0, rd_expense=9.0),
    ]
    panel = srdi(firms, annual)
    tagged = found("G6", panel)
    assert (tagged.value, tagged.totals["unknown"], tagged.totals["base"]) == (2.0, 1.0, 3.0)
    assert names(tagged, "value") == ("A", "B")
    for reading, value in (("weighted", 3.5), ("mean", 5.0)):
        result = found("G7", panel, parameters={"rd_intensity_reading": reading})
        assert result.value == pytest.approx(value)
        assert result.totals["weighted"] == pytest.approx(3.5)
        assert result.totals["mean"] == pytest.approx(5.0)
        assert names(result, "value") == ("A", "B")
        assert names(result, "reached") == ("A",)
        assert result.completion_pct == pytest.approx(100 * value / 4)
    by_place = found("G7", panel).table.set_index("district")
    assert by_place.loc[["甲", "乙"], "value"].tolist() == pytest.approx([8.0, 2.0])
    # A share is no sum: the city's goal is every district's.
    assert by_place.loc[["甲", "乙"], "task"].tolist() == [4.0, 4.0]
    everyone = found("G6", panel, parameters={"characteristic_base": "sme"})
    assert everyone.totals["base"] == 4.0


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


@pytest.mark.parametrize(
    ("reading", "statistic", "value", "reached"),
    [
        ("main", "weighted", 2.5, ""),
        ("main", "mean", 5.0, ""),
        ("profit", "weighted", 30.0, "A"),
        ("profit", "mean", 30.0, "A"),
        ("any", "weighted", 30.0, "A"),
        ("any", "share", 50.0, "A"),
        ("main", "share", 0.0, ""),
    ],
)
def test_growth_of_the_specialised(
    reading: str, statistic: str, value: float, reached: str
) -> None:
    chosen = {"growth_reading": reading, "growth_statistic": statistic}
    result = found("G8", growth_city(), parameters=chosen)
    assert result.value == pytest.approx(value)
    assert "".join(names(result, "reached")) == reached
    # Growth from a loss is unknown, and so is B where profit alone counts.
    assert "".join(names(result, "value")) == ("A" if reading == "profit" else "AB")
    assert {"growth_reading", "growth_statistic", "specialised_main_share"} <= set(
        result.parameters
    )


def test_who_is_specialised_is_a_parameter() -> None:
    result = found("G8", growth_city(), parameters={"specialised_main_share": 50})
    assert "".join(names(result, "value")) == "ABC"


def test_the_share_of_main_revenue_is_measured_over_all_and_reached_by_the_specialised() -> None:
    result = found("G9", growth_city())
    assert result.value == pytest.approx(100 * (110 + 300 + 200) / (140 + 400 + 400))
    assert "".join(names(result, "reached")) == "AB"  # 300 of 400 is 75 % exactly


@pytest.mark.parametrize(
    ("row", "column", "at", "short"),
    [
        ("G10", "supplies_chain_leader", 1, 0),
        ("G11", "niche_rank_province", 10, 11),
        ("G13", "quality_benchmark_level", "prov", "city"),
        ("G14", "class1_ip_self", 1, 0),
    ],
)
def test_the_definition_holds_at_its_bound(row: str, column: str, at: Any, short: Any) -> None:
    firms = [{"firm_id": f} for f in "ABC"]
    annual = [accounts("A", **{column: at}), accounts("B", **{column: short}), accounts("C")]
    result = found(row, srdi(firms, annual))
    assert names(result, "value") == ("A",)
    assert names(result, "unknown") == ("C",)


def test_who_left_counts_for_no_characteristic() -> None:
    firms = [
        {"firm_id": "A", "local_feature_tag": 1},
        {"firm_id": "B", "local_feature_tag": 1, "city_out_on": day("2024-01-01")},
        {"firm_id": "C", "local_feature_tag": 1},
    ]
    closed = [{"firm_id": "C", "kind": "dissolved", "on": day("2024-01-01")}]
    assert names(found("G12", srdi(firms, [], events=closed)), "value") == ("A",)


# ------------------------------------------------------------------------- targets over records


def test_the_mean_guarantee_fee_in_both_readings_falls_to_its_goal() -> None:
    firms = [{"firm_id": f, "district": "甲"} for f in "ABCD"]
    credit = [
        {"firm_id": "A", "year": 2023, "guarantee_fee_pct": 0.8, "guarantee_balance": 900.0},
        {"firm_id": "B", "year": 2022, "guarantee_fee_pct": 9.9, "guarantee_balance": 100.0},
        {"firm_id": "B", "year": 2023, "guarantee_fee_pct": 1.8, "guarantee_balance": 100.0},
        {"firm_id": "C", "year": 2023, "guarantee_fee_pct": 1.0},
        {"firm_id": "Z", "year": 2023, "guarantee_fee_pct": 3.0, "guarantee_balance": 100.0},
    ]
    panel = srdi(firms, [], credit=credit)
    weighted = found("D19", panel)
    assert weighted.value == pytest.approx(0.9)
    assert (weighted.completion_pct, weighted.remaining) == (100.0, 0.0)
    plain = found("D19", panel, parameters={"guarantee_fee_reading": "mean"})
    assert plain.value == pytest.approx(1.2)
    assert plain.completion_pct == pytest.approx(100 / 1.2)
    assert plain.remaining == pytest.approx(0.2)
    assert names(plain, "value") == ("A", "B", "C")
    assert names(plain, "reached") == ("A", "C")


def event(firm: str, kind: str, on: str, **more: Any) -> Record:
    return {"firm_id": firm, "kind": kind, "on": day(on), **more}


def test_listings_count_from_the_plans_first_day_for_firms_that_held_a_title() -> None:
    firms = [{"firm_id": f, "district": "甲"} for f in "ABCDEFGH"]
    firms[6]["city_out_on"] = day("2023-01-01")
    titles = [titled(f, "srdi_provincial", "2021-06-01") for f in "ABCDFG"]
    titles[5]["firm_id"] = "G"
    events = [
        event("A", "listed", "2022-03-01", board="bse"),
        event("A", "listed", "2024-03-01", board="star"),
        event("B", "listed", "2021-12-31", board="bse"),
        event("C", "listed", "2024-02-01"),
        event("D", "listed", "2024-06-01", board="gem"),  # the title expires that day
        event("E", "listed", "2024-02-01", board="gem"),
        event("F", "listed", "2024-06-02", board="gem"),
        event("G", "listed", "2024-02-01", board="gem"),
        event("H", "quoted", "2024-02-01", board="neeq_base"),
    ]
    result = found("D8", panel_of(DAY, {"firms": firms, "titles": titles, "events": events}))
    assert names(result, "value") == ("A", "D")
    assert names(result, "new") == ("D",)
    assert names(result, "unknown") == ("C",)
    assert result.totals["completion_pct"] == 40.0


def test_the_regional_board_counts_those_that_are_on_it() -> None:
    firms = [{"firm_id": f} for f in "ABC"]
    titles = [titled(f, "srdi_municipal", "2021-07-01") for f in "ABC"]
    events = [
        event("A", "quoted", "2021-08-01", board="regional"),
        event("B", "quoted", "2023-08-01", board="regional", ended_on=day("2024-01-01")),
        event("C", "quoted", "2023-08-01", board="neeq_base"),
    ]
    tables = {"firms": firms, "titles": titles, "events": events}
    assert names(found("D9", panel_of(DAY, tables)), "value") == ("A",)
    # Of the regional board nothing was ever recorded, and nothing is declared.
    tables["events"] = events[2:]
    assert found("D9", panel_of(DAY, tables, covered=["title:srdi_municipal"])).value is None


def finding(firm: str, criterion: str, **more: Any) -> Record:
    own = {"batch": "2024", "finding": "met", "attested_on": day("2024-01-10")}
    return {"firm_id": firm, "criterion": criterion} | own | more


def test_members_of_the_reserve_are_on_record_and_candidates_are_a_proposal() -> None:
    firms = [{"firm_id": f, "district": "甲"} for f in "ABCDE"]
    annual = [accounts(f, net_profit=600.0, revenue=100.0) for f in "ABC"]
    annual += [accounts("D", net_profit=599.0, revenue=2999.0), accounts("Z", net_profit=9e3)]
    events = [event("C", "listed", "2024-02-01", board="bse")]
    panel = srdi(firms, annual, events=events)
    without = found("D6", panel)
    assert without.value is None
    assert names(without, "candidates") == ("A", "B")
    member = finding("A", "pool:listing_reserve")
    lapsed = finding("B", "pool:listing_reserve", valid_until=day("2024-06-29"))
    result = found("D6", srdi(firms, annual, events=events, attestations=[member, lapsed]))
    assert (result.value, result.completion_pct) == (1.0, 2.0)
    assert names(result, "value") == ("A",)
    assert names(result, "candidates") == ("B",)


def held(kind: str, district: str, on: str, **more: Any) -> Record:
    return {"kind": kind, "district": district, "on": day(on), **more}


def test_activities_of_the_year_or_of_the_plan() -> None:
    activities = [
        held("matching", "甲", "2021-05-01", events_held=100),
        held("matching", "甲", "2022-05-01", events_held=20),
        held("matching", "甲", "2024-05-01", events_held=5),
        held("matching", "乙", "2024-05-01", events_held=5),
        held("matching", "乙", "2024-06-01"),
        held("listing_training", "甲", "2023-05-01", firms_attending=90),
        held("listing_training", "甲", "2024-05-01", firms_attending=60),
    ]
    panel = panel_of(DAY, {"firms": [{"firm_id": "A"}], "activities": activities})
    whole = found("F1", panel)
    assert (whole.value, whole.totals["unknown"], whole.deadline) == (30.0, 1.0, day("2025-12-31"))
    assert whole.table.set_index("district").loc[["甲", "乙"], "value"].tolist() == [25.0, 5.0]
    assert names(whole, "value") == ("乙", "甲", "甲")  # the activities, by district
    year = found("F1", panel, parameters={"matching_period": "year"})
    assert (year.value, year.deadline) == (10.0, day("2024-12-31"))
    training = found("D10", panel)
    assert (training.value, training.completion_pct) == (60.0, 60.0)
    assert found("K2", panel).value is None
    footing = footing_of(panel)
    table = yearly(footing.plan.row("D10"), footing)
    assert table["year"].tolist() == [2022, 2023, 2024]
    # At the end of 2022 nothing of the kind had ever been recorded: that is no zero.
    assert table["value"].isna().tolist() == [True, False, False]
    assert table["value"].tolist()[1:] == [90.0, 60.0]


def test_numbers_that_are_all_missing_this_year_are_no_zero() -> None:
    activities = [
        held("manager_training", "甲", "2023-05-01", firms_attending=900),
        held("manager_training", "甲", "2024-05-01"),
    ]
    assert found("K2", panel_of(DAY, {"activities": activities})).value is None


def test_every_district_holds_its_exchanges() -> None:
    activities = [
        held("exchange", "甲", "2024-02-01", events_held=1),
        held("exchange", "甲", "2024-03-01", events_held=1),
        held("exchange", "乙", "2024-03-01", events_held=1),
        held("exchange", "乙", "2023-03-01", events_held=5),
    ]
    firms = [{"firm_id": "A", "district": "丙"}]
    result = found("K7", panel_of(DAY, {"firms": firms, "activities": activities}))
    assert (result.value, result.goal, result.remaining) == (1.0, 3.0, 2.0)
    assert names(result, "value") == ("甲",)
    assert names(result, "short") == ("丙", "乙")


# ------------------------------------------------------------------ deadline, names, districts


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


@pytest.mark.parametrize("row", TARGETS)
def test_every_figure_opens_its_names_and_districts_add_up(row: str) -> None:
    result = found(row, whole_city())
    assert result.measured is not None
    assert result.value is not None
    assert set(result.measured.city) <= set(WORDS)
    table = result.table.set_index("district")
    for figure, value in result.measured.city.items():
        listed = names(result, figure)
        counts = result.measured.records[result.measured.behind[figure]].sum()
        assert len(listed) == counts
        if figure in ("weighted", "mean") or "_" in figure or value is None:
            continue
        if result.unit[0] == "家" or figure in ("firms", "reached", "no_data"):
            assert len(listed) == value, figure
            parts = [names(result, figure, place) for place in result.measured.districts.index]
            assert sorted(n for part in parts for n in part) == sorted(listed)
            assert table.loc[["甲", "乙", "丙"], figure].sum() == value
            assert [float(len(p)) for p in parts] == result.measured.districts[figure].tolist()


@pytest.mark.parametrize("row", TARGETS)
def test_before_the_deadline_there_is_a_forecast_and_after_it_never(row: str) -> None:
    before = found(row, whole_city(), rng=np.random.default_rng(1))
    assert not before.past
    if row not in ("D6", "D19"):  # members and fees have no history of whole years here
        assert before.forecast is not None
        low, mean, high = (before.totals[n] for n in ("forecast_low", "forecast", "forecast_high"))
        assert low is not None
        assert mean is not None
        assert high is not None
        # The mean of what is rare may lie above nineteen of twenty futures.
        assert low <= float(np.median(before.forecast.samples)) <= high
        assert 0.0 <= (before.forecast.chance or 0.0) <= 1.0
        assert "forecast_year_shock_pct" in before.parameters
    after = found(row, whole_city(AFTER), rng=np.random.default_rng(1))
    assert after.past
    assert after.forecast is None
    assert "forecast" not in after.totals
    assert after.day == date(2025, 12, 31)
    assert after.value is not None
    assert any("期末完成值" in note.zh for note in after.notes)


def test_the_final_value_speaks_of_the_deadline() -> None:
    """What came, ended or was revoked after the deadline changes nothing."""
    titles = [
        titled("A", "little_giant", "2023-05-01"),
        titled("B", "little_giant", "2023-05-01", revoked_on="2026-01-05"),
        titled("C", "little_giant", "2026-01-05"),
        titled("D", "little_giant", "2022-12-31"),
        titled("E", "little_giant", "2022-12-30"),
        titled("F", "little_giant", "2023-05-01"),
    ]
    firms: list[Record] = [{"firm_id": f} for f in "ABCDEF"]
    firms[5]["city_out_on"] = day("2026-02-01")
    panel = panel_of(AFTER, {"firms": firms, "titles": titles})
    result = found("G4", panel)
    assert "".join(names(result, "value")) == "ABDF"
    assert (result.value, result.completion_pct, result.remaining) == (4.0, 4.0, 96.0)
    assert result.deadline == result.day == date(2025, 12, 31)
    on_the_day = found("G4", panel_of(date(2025, 12, 31), {"firms": firms, "titles": titles}))
    assert not on_the_day.past
    assert on_the_day.value == 4.0


def test_a_yearly_target_past_the_horizon_shows_the_plans_last_year() -> None:
    activities = [
        held("listing_training", "甲", "2025-05-01", firms_attending=70),
        held("listing_training", "甲", "2026-05-01", firms_attending=900),
    ]
    result = found("D10", panel_of(AFTER, {"activities": activities}))
    assert (result.value, result.deadline) == (70.0, date(2025, 12, 31))


def test_accounts_of_the_horizons_own_year_count_for_it() -> None:
    firms = [{"firm_id": "A", "district": "甲"}]
    titles = [titled("A", "srdi_municipal", "2023-05-01")]
    annual = [accounts("A", 2025, class1_ip_self=2), accounts("A", 2024, class1_ip_self=0)]
    tables = {"firms": firms, "titles": titles, "annual": annual}
    assert found("G14", panel_of(AFTER, tables)).value == 1.0
    assert found("G14", panel_of(date(2025, 6, 30), tables)).value == 0.0


@pytest.mark.parametrize("row", TARGETS)
def test_what_is_expected_of_the_districts_adds_up_to_the_city(row: str) -> None:
    result = found(row, whole_city(), rng=np.random.default_rng(1))
    if result.forecast is None:
        return
    parts = result.forecast.parts
    city, *places = result.table.to_dict("records")
    assert city["forecast"] == result.forecast.mean
    known = [line for line in places if not np.isnan(line["forecast"])]
    assert {line["district"] for line in known} == set(parts)
    if load_plans()["2025"].row(row).form in ADDS_UP:
        assert sum(parts.values()) == pytest.approx(result.forecast.samples)
        assert sum(line["forecast"] for line in known) == pytest.approx(city["forecast"])
    for line in known:
        assert line["forecast_low"] <= line["forecast_high"]
        assert np.isnan(line["chance_of_goal"]) == np.isnan(line["task"])


def test_a_district_s_task_has_a_chance_of_its_own() -> None:
    tasks = {"G1": {"甲": 0.0, "乙": 1e6}}
    result = found("G1", whole_city(), rng=np.random.default_rng(1), tasks=tasks)
    chance = result.table.set_index("district")["chance_of_goal"]
    assert (chance["甲"], chance["乙"]) == (1.0, 0.0)
    assert np.isnan(chance["丙"])


def test_districts_that_will_hold_enough_are_expected_by_their_own_past() -> None:
    """甲 has held both this year, 乙 holds one each autumn and lacks two, 丙 never held any."""
    autumn = [held("exchange", "乙", f"{y}-10-01", events_held=1) for y in range(2018, 2024)]
    spring = [held("exchange", "甲", f"{y}-04-01", events_held=2) for y in range(2018, 2025)]
    firms = [{"firm_id": place, "district": place} for place in "甲乙丙"]
    panel = panel_of(DAY, {"firms": firms, "activities": [*autumn, *spring]})
    result = found("K7", panel, rng=np.random.default_rng(1))
    assert result.forecast is not None
    means = {place: float(samples.mean()) for place, samples in result.forecast.parts.items()}
    # One a year is a Poisson count: two come once in four years.
    assert means["甲"] == 1.0
    assert 0.0 < means["丙"] < 0.05 < 0.15 < means["乙"] < 0.35
    assert result.totals["chance_of_goal"] == pytest.approx(0.0, abs=0.02)
    late = found("K7", panel_of(date(2024, 12, 31), {"firms": firms, "activities": spring}),
                 rng=np.random.default_rng(1))  # fmt: skip
    assert late.totals["forecast"] == late.value == 1.0


def test_members_of_a_pool_come_as_in_the_past_and_stay_while_their_finding_is_valid() -> None:
    """Four a year for three years; two of the twelve end by date, none is renewed or lost."""
    firms = [{"firm_id": f"P{i:02d}", "district": "甲乙"[i % 2]} for i in range(12)]
    ends = {0: date(2024, 12, 31), 1: date(2025, 6, 30)}
    findings = [
        finding(f"P{i:02d}", "pool:listing_reserve", attested_on=date(2021 + i // 4, 3, 1),
                valid_until=ends.get(i), batch=f"{2021 + i // 4}") for i in range(12)
    ]  # fmt: skip
    titles = [titled(f["firm_id"], "srdi_municipal", "2022-05-01") for f in firms]
    tables = {"firms": firms, "titles": titles, "attestations": findings}
    sure = {
        "renewal_prior_weight": 1e9, "renewal_prior_pct": 0, "loss_prior_weight": 1e9,
        "loss_prior_pct": 0, "forecast_trend_prior_pct": 0,
    }  # fmt: skip
    panel = panel_of(date(2023, 12, 31), tables)
    result = found("D6", panel, rng=np.random.default_rng(1), parameters=sure)
    assert result.value == 12.0
    # Records begin in the spring of 2021: two whole years of four, two years ahead.
    assert result.totals["forecast"] == pytest.approx(12 - 2 + 2 * 4, abs=0.3)
    assert result.forecast is not None
    assert set(result.forecast.parts) == {"甲", "乙"}
    young = panel_of(date(2021, 12, 31), tables)
    assert found("D6", young, rng=np.random.default_rng(1)).forecast is None


def test_a_forecast_knows_what_expires_and_what_comes() -> None:
    """Five a year for five years, each valid three, all renewed or none: the stock says which."""
    titles = []
    for year in range(2019, 2024):
        for i in range(5):
            firm = f"{year}{i}"
            titles.append(titled(firm, "little_giant", f"{year}-03-01"))
            if year < 2021:
                again = titled(firm, "little_giant", f"{year + 3}-03-01", purpose="review")
                titles.append(again)
    firms = [{"firm_id": t["firm_id"]} for t in titles if t["purpose"] == "new"]
    panel = panel_of(date(2023, 12, 31), {"firms": firms, "titles": titles})
    sure = {"renewal_prior_weight": 0, "loss_prior_weight": 1e9, "loss_prior_pct": 0}
    result = found("G4", panel, rng=np.random.default_rng(1), parameters=sure)
    assert result.value == 25.0
    # All ten that could be renewed were; two years bring about five each.
    assert result.totals["forecast"] == pytest.approx(35.0, abs=0.5)
    low, high = result.totals["forecast_low"], result.totals["forecast_high"]
    assert low is not None
    assert high is not None
    assert 25 <= low <= 35 <= high <= 47


def test_chances_of_a_model_take_the_place_of_history() -> None:
    titles = [titled("A", "little_giant", "2023-05-01")]
    firms = [{"firm_id": f} for f in "ABCD"]
    panel = panel_of(date(2024, 12, 31), {"firms": firms, "titles": titles})
    sure = {
        "renewal_prior_weight": 1e9, "renewal_prior_pct": 100, "loss_prior_weight": 1e9,
        "loss_prior_pct": 0, "forecast_year_shock_pct": 0,
    }  # fmt: skip
    chances = {"G4": np.array([0.5, 1.0, 0.0, 1.0])}  # A is in already
    result = found("G4", panel, rng=np.random.default_rng(1), parameters=sure, chances=chances)
    assert result.totals["forecast"] == pytest.approx(3.0, abs=0.01)


# --------------------------------------------------------------------------------- a successor


def test_a_successor_plan_is_data(tmp_path: Any) -> None:
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "plan.toml").write_text(
        'id = "2028"\nzh = "后续方案"\nen = "Next"\ndocument = "后续方案"\nhorizon = 2028-12-31\n'
        "starts_on = 2026-01-01\nbasis = 'cumulative'\n",
        encoding="utf-8",
    )
    (folder / "goals.toml").write_text(
        '[[rows]]\nid = "T1"\nzh = "小巨人"\nen = "Giants"\nquote = "q"\nscope = "nat"\n'
        'kind = "target"\nnumbers = { goal = 150 }\n[rows.target]\nform = "titles"\n'
        'unit_zh = "家"\nunit_en = "firms"\ntiers = ["little_giant"]\n',
        encoding="utf-8",
    )
    plan = load_plans(tmp_path)["2028"]
    panel = panel_of(
        AFTER, {"firms": [{"firm_id": "A"}], "titles": [titled("A", "little_giant", "2021-05-01")]}
    )
    result = target(plan.row("T1"), footing_of(panel, plan=plan))
    assert (result.value, result.goal, result.deadline) == (1.0, 150.0, date(2028, 12, 31))
    assert not result.past


# ------------------------------------------------------------------------------------- small parts


def test_completion() -> None:
    assert completion(None, 5.0) is None
    assert completion(5.0, None) is None
    assert completion(7.0, 5.0) == 140.0
    assert completion(2.0, 1.0, at_most=True) == 50.0
    assert completion(0.0, 1.0, at_most=True) == 100.0


def test_windows_are_parts_of_calendar_years_that_meet() -> None:
    parts = windows(date(2023, 12, 31), date(2026, 6, 30))
    assert [w.end for w in parts] == [date(2024, 12, 31), date(2025, 12, 31), date(2026, 6, 30)]
    assert sum(w.length for w in parts) == pytest.approx(2.5, abs=0.01)
    assert windows(DAY, DAY) == ()
    leap = Window(date(2024, 2, 29), date(2024, 12, 31)).in_year(2023)
    assert leap == Window(date(2023, 2, 28), date(2023, 12, 31))


def test_a_parameter_that_nobody_decided_stops_the_figure_that_needs_it() -> None:
    with pytest.raises(NotAvailable, match="target_basis must be decided"):
        found("G4", giants(), parameters={"target_basis": None})


def test_an_unknown_form_is_refused() -> None:
    footing = footing_of(giants())
    row = footing.plan.row("G4")
    strange: Row = replace(row, details={"target": {**row.detail, "form": "guess"}})
    with pytest.raises(DataError, match="form of target G4 must be one of"):
        target(strange, footing)


def test_everything_is_covered_in_these_panels_unless_said() -> None:
    assert "title:little_giant" in EVERYTHING
