"""Paths to a tier on the real law: what is asked of a firm, alone and of many at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from path_bounds import DAY, LAW, NUL, asked, at_bounds, giant, names
from policy_cases import FINDINGS, number, table

from benchmarks.path_firms import firms, paths_of
from policy.path.attempt import passes
from policy.path.changes_reading import released
from policy.path.check import faults
from policy.path.finding import Paths
from policy.path.program import find
from policy.path.reach import reach, settled
from policy.path.result import Path
from policy.path.search import program_of
from policy.path.timing import ahead
from policy.path.tree import Every
from policy.values import Inputs


def champion(**changed: Any) -> Path:
    """The path to single champion of a firm exactly at every bound of 2023, but for this."""
    raw = table("single_champion_2023")
    cells = {name: number(name, value) for name, value in raw["base"].items()}
    cells |= {f"revenue{lag}": 50_000.0 for lag in ("", "[-1]", "[-2]")}
    cells |= {name: number(name, value) for name, value in changed.items()}
    columns = {name: np.array([value]) for name, value in cells.items()}
    findings = {name: np.array([FINDINGS["met"]], dtype=np.int8) for name in raw["findings"]}
    now = Inputs(np.array(["甲"], dtype=object), DAY, 2025, columns, findings)
    stages = ahead(LAW, released(), ("single_champion", "new"), now)
    return Paths(LAW, released(), ("single_champion", "new"), now, stages).of(0)


# ---------------------------------------------------------------------------- what is asked


def test_who_meets_everything_needs_nothing() -> None:
    path = giant().of(0)
    assert (path.status, path.batch_year, path.changes) == ("met", 2026, ())


def test_the_batch_after_this_one_asks_for_one_more_patent_in_use_and_growth() -> None:
    """By hand: 5 % a year on 5250 of 2024 asks 5788.125 of 2026, 275.625 above 5512.5."""
    path = giant(class1_ip_effective=3).of(0)
    assert (path.status, path.batch_year) == ("reachable", 2027)
    assert path.edition == "2-2026/annex2"
    assert asked(path) == {"main_revenue": (4961.25, 5236.88), "class1_ip_effective": (3, 4)}
    revenue, patents = path.changes
    assert revenue.values == ((2026, 5236.88),)
    assert revenue.per_year == pytest.approx(992.25)  # 20 % of its own
    assert path.total == pytest.approx(275.63 / 992.25 + 0.5)
    assert path.figures == {
        2026: {"class1_ip_effective": 4, "main_revenue": 5236.88, "revenue": pytest.approx(5788.13)}
    }
    assert revenue.text.zh == "主营业务收入由4961.25万元提高到5236.88万元"
    assert (
        patents.text.en == "Raise Class I IP, in use for the main product from 3 items to 4 items"
    )
    # A year later: 6077.53125 over the 5512.5 of 2025, and the same patent.
    assert path.other is not None
    assert (path.other.batch_year, set(asked(path.other))) == (2028, set(asked(path)))
    assert path.other.changes[0].to_value == pytest.approx(4961.25 + 6077.53125 - 5512.5, abs=0.01)
    assert path.other.changes[0].values[0] == (2027 - 1, pytest.approx(5243.77, abs=0.01))


def test_bought_rights_are_made_up_for_by_new_ones_of_its_own() -> None:
    """Six rights in use, four of them bought: two count, two new ones of its own make four."""
    path = giant(class1_ip_effective=6, class1_ip_self=2).of(0)
    assert (path.status, path.batch_year) == ("reachable", 2028)  # a grant takes sixteen months
    assert asked(path)["class1_ip"] == (6, 8)
    assert "class1_ip_effective" not in asked(path)
    assert path.pending == ()  # 4 + 8 + 8 less twice 8 count for sure
    assert path.figures[2027]["class1_ip_self"] == 4
    assert "受让不计" in next(c for c in path.changes if c.field == "class1_ip").how.zh
    # All bought: four new ones take longer.
    path = giant(class1_ip_effective=6, class1_ip_self=0).of(0)
    assert (path.status, path.changes, names(path.short)) == ("not_within_two_years", (), {"ip"})
    # Where the rights in use and its own may not be the same, that stays to be proved.
    path = giant(class1_ip_effective=3, class1_ip_self=4).of(0)
    assert set(asked(path)) == {"main_revenue", "class1_ip_effective"}
    assert names(path.pending) == {"ip"}


def test_a_gazelle_keeps_its_growth_and_lifts_the_mean_of_four_yearly_shares() -> None:
    """By hand: 20 % a year on 1200 of 2023 asks 2073.6 of 2026, and R&D shares of 2.5, 2.5 and
    40 / 1728 leave 2.685185 % for 2026: 55.68, 15.68 more than the 40 carried on."""
    young = {"founded_on": date(2015, 6, 30), "rd_invest": 40}
    path = at_bounds("gazelle_city", **young).of(0)
    assert (path.status, path.batch_year) == ("reachable", 2027)
    assert asked(path) == {"revenue": (1728, 2073.6), "rd_expense": (17.28, 32.96)}
    old = at_bounds("gazelle_city", rd_invest=40).of(0)  # fifteen years ago to the day
    assert old.status == "blocked"
    assert "age" in names(old.blocked)


def test_a_champion_moves_up_in_the_world() -> None:
    path = champion(niche_rank_global=4)
    assert (path.status, path.batch_year, asked(path)) == (
        "reachable", 2027, {"niche_rank_global": (4, 3)}
    )  # fmt: skip
    assert path.changes[0].text.zh == "全球细分市场排名由第4名提升到第3名"
    assert path.changes[0].text.en.startswith("Move up in Global niche rank from 4")
    assert champion(niche_rank_global=6).status == "not_within_two_years"  # one place a year


def test_a_mean_of_three_years_rises_as_weak_years_leave_it() -> None:
    """By hand: of 2026 it would ask 50000, a fifth more than 40000 is 48000; of 2027 nothing."""
    weak = {"main_revenue[-1]": 30_000, "main_revenue[-2]": 30_000}
    path = champion(**weak)
    assert (path.status, path.batch_year, path.changes) == ("reachable", 2028, ())
    assert names(path.by_time) == {"main_revenue"}
    path = champion(**weak, **{"held(little_giant)": 1})
    assert (path.status, path.batch_year) == ("met", 2026)


def test_every_answer_carries_the_warning_and_what_it_assumes() -> None:
    path = giant(class1_ip_effective=3).of(0)
    assert path.warning.zh == "须以真实经营为依据,数据造假将取消全部称号且三年内不得申报"
    assert "three years" in path.warning.en
    assert {"carried", "closed", "even", "costs", "titles", "same_edition"} == set(path.assumptions)
    stuck = giant(**{"open(abnormal_list)": 1}).of(0)
    assert stuck.warning == path.warning


def test_what_an_official_must_find_stays_pending() -> None:
    firm = giant(class1_ip_effective=3)
    stages = tuple(replace(s, inputs=replace(s.inputs, findings={})) for s in firm.stages)
    path = replace(firm, stages=stages).of(0)
    assert path.status == "reachable"
    assert names(path.pending) == {"reputation", "no_group_conflict"}
    assert {entry.status for entry in path.pending} == {"manual"}


def test_what_is_unknown_is_never_made_up() -> None:
    path = giant(class1_ip_effective=3, total_assets=NUL).of(0)
    assert "debt" in names(path.pending)
    assert set(asked(path)) == {"main_revenue", "class1_ip_effective"}


def test_two_equal_ways_are_both_shown() -> None:
    """Either certificate meets the criterion of 2022, each a year's step."""
    law, plan = LAW, released()
    cells: dict[str, Any] = dict(table("little_giant_2022")["base"])
    cells |= {"iso_cert": 0, "product_cert_overseas": 0, "main_revenue[-3]": 1}
    columns = {name: np.array([number(name, value)]) for name, value in cells.items()}
    # Growth of main revenue goes on without change where the year before was weak.
    columns |= {f"main_revenue{lag}": np.array([v]) for lag, v in SHRUNK.items()}
    columns |= {f"revenue{lag}": np.array([10_000.0]) for lag in SHRUNK}
    columns |= {f"rd_expense{lag}": np.array([900.0]) for lag in SHRUNK}
    now = Inputs(np.array(["A"], dtype=object), date(2024, 3, 1), 2023, columns)
    stages = ahead(law, plan, ("little_giant", "new"), now)
    path = Paths(law, plan, ("little_giant", "new"), now, stages).of(0)
    assert (path.status, path.batch_year) == ("reachable", 2025)
    assert [set(asked(replace(path, changes=tie))) for tie in (path.changes, *path.ties)] == [
        {"iso_cert"},
        {"product_cert_overseas"},
    ]
    assert path.changes[0].text.zh == "取得:管理体系认证"


SHRUNK = {"": 9000.0, "[-1]": 7500.0, "[-2]": 7000.0, "[-3]": 7000.0}


def test_the_model_is_asked_with_what_each_open_year_shows() -> None:
    seen: list[Mapping[int, Mapping[str, float]]] = []

    def model(path: Path) -> tuple[float, float]:
        seen.append(path.figures)
        return 0.1, 0.2

    path = giant(class1_ip_effective=3).of(0, model)
    assert path.scores == (0.1, 0.2)
    assert seen == [path.figures]


def test_a_path_is_plain_json() -> None:
    for path in (giant(class1_ip_effective=3).of(0), giant(**{"banned()": 1}).of(0)):
        plain = json.loads(json.dumps(path.as_json(), ensure_ascii=False, allow_nan=False))
        assert plain["warning"]["zh"]
        assert plain["status"] == path.status
        assert len(plain["changes"]) == len(path.changes)


# ---------------------------------------------------------------------------- what no answer does


@pytest.mark.parametrize(
    ("tier", "n"),
    [("innovative_sme", 40), ("tech_sme", 120), ("srdi_municipal", 40), ("srdi_provincial", 90)],
)
def test_answers_hold_and_break_nothing_and_ask_for_nothing_in_vain(tier: str, n: int) -> None:
    inputs = firms(LAW, n, seed=11, day=date(2026, 4, 20))
    prepared = paths_of(LAW, inputs, tier)
    changed = 0
    for row in range(n):
        for stage in prepared.stages[1:]:
            attempt = prepared._attempt(stage, row)
            if passes(attempt.verdict):
                continue
            condition = Every(
                (*attempt._asked(attempt.outlook).values(), attempt.outlook.keeps(released()))
            )
            program = program_of(attempt.outlook, condition)
            for point in attempt.best():
                changed += 1
                after = attempt.after(point)
                assert not faults(released(), attempt.columns, after, stage.years, inputs.day)
                verdict = attempt.judged(attempt.changed(point))
                assert passes(verdict)
                fields = {int(i) for i in np.flatnonzero(point[: program.fields])}
                for field in fields:
                    assert find(program.only(fields - {field})) is None
    assert changed >= 10


FAULTY = {
    "forbidden move shrink": {"revenue": 4000.0, "main_revenue": 3900.0},
    "identity broken: balance": {"net_assets": 4000.0},
    "closed year changed": {"revenue[-1]": 6000.0},
    "immutable changed": {"years_in_niche": 9.0},
    "unknown made up": {"rd_staff": 3.0},
    "part above whole": {"class1_ip_effective": 7.0},
    "too soon: class1_ip ": {"class1_ip": 7.0},
    "too far: main_revenue": {"main_revenue": 9000.0, "revenue": 9000.0},
    "wrong way: total_liabilities": {"total_liabilities": 8000.0, "total_assets": 10500.0},
    "not whole": {"employees": 100.5},
    "forbidden move purchased_ip": {"ip_transferred_in": 1.0},
}


@pytest.mark.parametrize("fault", FAULTY)
def test_the_check_sees_every_kind_of_fault(fault: str) -> None:
    before = {
        "revenue": 5000.0, "revenue[-1]": 5000.0, "main_revenue": 4900.0, "years_in_niche": 4.0,
        "other_operating_income": 100.0, "total_assets": 10_000.0, "total_liabilities": 7500.0,
        "net_assets": 2500.0, "employees": 100.0, "rd_staff": NUL, "class1_ip": 6.0,
        "class1_ip_effective": 4.0, "ip_transferred_in": 0.0,
    }  # fmt: skip
    assert faults(released(), before, dict(before), 1, DAY) == []
    found = faults(released(), before, before | FAULTY[fault], 1, DAY)
    assert any(each.startswith(fault) for each in found), found


# ---------------------------------------------------------------------------- many firms at once


@pytest.mark.parametrize(
    ("tier", "n"),
    [("innovative_sme", 60), ("tech_sme", 120), ("srdi_provincial", 60), ("little_giant", 60)],
)
def test_what_is_settled_for_all_at_once_is_what_each_path_says(tier: str, n: int) -> None:
    prepared = paths_of(LAW, firms(LAW, n, seed=3, day=date(2026, 4, 20)), tier)
    known, found = settled(prepared), reach(prepared)
    answers = [prepared.of(row).status for row in range(n)]
    assert 5 < np.isnan(known).sum() < n  # some need a search, some do not
    for row, status in enumerate(answers):
        expected = {"met": 1.0, "reachable": 1.0, "unknown": NUL}.get(status, 0.0)
        assert found.reachable[row] == expected or (
            expected != expected and np.isnan(found[0][row])
        )
        assert np.isnan(known[row]) or known[row] == expected, status


def test_only_the_firms_asked_for_are_searched_and_rescored() -> None:
    prepared = paths_of(LAW, firms(LAW, 60, seed=3, day=date(2026, 4, 20)), "srdi_provincial")
    told: list[tuple[int, int]] = []
    open_ = np.flatnonzero(np.isnan(settled(prepared)))[:5]
    found = reach(prepared, open_.tolist(), lambda _: (0.1, 0.3), lambda *done: told.append(done))
    assert told == [(n, 5) for n in range(1, 6)]
    assert set(np.flatnonzero(~np.isnan(found.after))) <= set(open_.tolist())
    assert (found.after[open_] == 0.3).all()
    assert np.isnan(np.delete(found.reachable, open_)).all()
