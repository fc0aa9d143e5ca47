"""Targets, measures and scenarios by the command line: figures that add up, names behind them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from small_city import Trained, call, copied, done, refused

DAY = "2024-06-30"
TITLES = ("G1", "G2", "G3", "G4", "G5")


@cache
def answered(home: Path, *arguments: str) -> Any:
    return done(home, *arguments, "--as-of", DAY)


def by_row(home: Path) -> dict[str, dict[str, Any]]:
    return {item["row"]: item for item in answered(home, "targets")["targets"]}


def test_districts_add_up_to_the_city_and_exits_to_their_causes(city_home: Trained) -> None:
    items = by_row(city_home.home)
    for name in TITLES:
        item = items[name]
        for figure in ("value", "stock", "cumulative", "new"):
            whole = item["figures"][figure]
            assert sum(line[figure] for line in item["districts"]) == whole
        causes = ("expired", "revoked", "moved_out", "gone")
        assert item["exits"] == sum(item["figures"][cause] for cause in causes)
        assert item["exits"] == sum(line["exits"] for line in item["districts"])
        assert item["forecast"]["low"] <= item["forecast"]["mean"] <= item["forecast"]["high"]
        assert item["deadline"] == "2025-12-31"


def test_the_names_are_those_that_the_figure_counts(city_home: Trained) -> None:
    item = by_row(city_home.home)["G3"]
    for figure in ("value", "new", "expired"):
        names = answered(city_home.home, "targets", "--names", "G3", "--figure", figure)["names"]
        assert len({line["firm_id"] for line in names}) == item["figures"][figure]
    place = item["districts"][0]["district"]
    few = answered(city_home.home, "targets", "--names", "G3", "--district", place)["names"]
    assert len(few) == item["districts"][0]["value"]


def test_tasks_of_the_districts_stand_beside_their_figures(
    city_home: Trained, tmp_path: Path
) -> None:
    place = by_row(city_home.home)["G2"]["districts"][0]["district"]
    home = copied(city_home.home, tmp_path / "home")
    file = home / "policy" / "city.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'[tasks.G2]\n"{place}" = 40\n', encoding="utf-8")
    items = done(home, "targets", "--as-of", DAY)["targets"]
    line = next(i for i in items if i["row"] == "G2")["districts"][0]
    assert line["task"] == 40
    assert line["completion_pct"] == pytest.approx(100 * line["value"] / 40)


def test_measures_stand_in_order_each_with_what_it_closes(city_home: Trained) -> None:
    firm = answered(city_home.home, "targets", "--names", "G1")["names"][0]["firm_id"]
    items = answered(city_home.home, "measures", firm)["measures"]
    assert [item["place"] for item in items] == list(range(1, len(items) + 1))
    assert {item["status"] for item in items} <= {"met", "unknown", "manual"}
    for item in items:
        assert len(item["closes"]) == item["blocks"] + item["opens"]
        assert item["zh"]
        assert item["en"]
    words = call(city_home.home, "measures", firm).out
    assert "符合" in words
    assert not any(cell in ("met", "unknown", "manual") for cell in words.split())
    ranks = [0 if i["blocks"] else 1 if i["opens"] else 2 for i in items if i["status"] == "met"]
    assert ranks == sorted(ranks)


def test_a_scenario_file_gives_tiers_budget_and_goals(city_home: Trained, root: Path) -> None:
    file = root / "examples" / "scenario.toml"
    found = answered(city_home.home, "policy", "simulate", str(file))["scenarios"][0]
    municipal = found["tiers"][0]
    assert municipal["after"]["admitted"] - municipal["before"]["admitted"] == municipal["net"]
    assert len(municipal["entering"]) == municipal["enters"]
    for group in ("district", "size", "industry"):
        lines = [line for line in municipal["by"] if line["by"] == group]
        assert sum(line["net"] for line in lines) == municipal["net"]
    years = {line["pay_year"] for line in found["budget"]}
    for year in years:
        lines = [line for line in found["budget"] if line["pay_year"] == year]
        parts = {p: sum(i["after"] for i in lines if i["payer"] == p) for p in ("city", "county")}
        whole = sum(line["after"] for line in lines if line["payer"] == "all")
        assert parts["city"] == pytest.approx(0.6 * whole)
        assert parts["city"] + parts["county"] == pytest.approx(whole)
    goals = {line["row"]: line for line in found["targets"]}
    assert (goals["G2"]["goal_before"], goals["G2"]["goal_after"]) == (2500, 2600)
    assert found["notes"][0]["zh"]


def test_pages_are_for_people(city_home: Trained, root: Path) -> None:
    text = call(city_home.home, "targets", "--as-of", DAY, "--districts").out
    assert "有效存量" in text
    assert "任务" in text
    firm = answered(city_home.home, "targets", "--names", "G1")["names"][0]["firm_id"]
    assert "benefit" in call(city_home.home, "measures", firm, "--as-of", DAY, "--lang", "en").out
    file = root / "examples" / "scenario.toml"
    page = call(city_home.home, "policy", "simulate", file, "--as-of", DAY, "--lang", "en").out
    assert "Assumes that whoever passes" in page


def test_a_target_without_records_says_so_and_a_past_one_forecasts_nothing(
    city_home: Trained,
) -> None:
    past = call(city_home.home, "targets", "--as-of", "2026-06-30").out.splitlines()
    # No file of the city tells of the new in trade, form or model (四新); of training they do.
    new, trained = (next(x for x in past if x.startswith(f"{row} ")) for row in ("G6", "K2"))
    assert "无数据" in new
    assert "无数据" not in trained
    assert "期限2025-12-31已过" in past[-1]
    before = call(city_home.home, "targets", "--as-of", "2025-06-30").out.splitlines()
    assert not any("已过" in line for line in before)
    little = [next(line for line in page if line.startswith("G4 ")) for page in (past, before)]
    assert ["(" in line for line in little] == [False, True]


def test_what_does_not_fit_is_refused_with_all_its_problems(
    city_home: Trained, tmp_path: Path
) -> None:
    file = tmp_path / "s.toml"
    file.write_text('name = "s"\n[goals]\nX9 = 1\n[quotas]\nnonsense = 1\n', encoding="utf-8")
    error = refused(city_home.home, "policy", "simulate", file, "--as-of", DAY)
    assert {issue["column"] for issue in error["issues"]} == {"goals.X9", "quotas.nonsense"}
    refused(city_home.home, "targets", "--names", "G3", "--figure", "speed", status=2)
    refused(city_home.home, "measures", "nobody", "--as-of", DAY)
    refused(city_home.home, "measures", "nobody", "--tier", "speed", status=2)
    refused(city_home.home, "targets", "--plan", "1999")
