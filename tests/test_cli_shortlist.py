"""``tidu shortlist`` and ``tidu compare``: what the service answers, on the command line."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from small_city import Trained, call, copied, done, refused

from serving.workspace import Workspace

TASK = "growth@12"
INTERNAL = "仅供内部研究"


@pytest.fixture
def home(city_home: Trained, tmp_path: Path) -> Path:
    return copied(city_home.home, tmp_path / "home")


def listed(home: Path, *more: object) -> Any:
    return done(home, "shortlist", "--task", TASK, "--k", 6, *more)


def test_a_list_is_saved_shown_and_decided(home: Path) -> None:
    made = listed(home, "--save")
    identity = made["shortlist_id"]
    shown = done(home, "shortlist", "show", identity)
    assert {name: shown[name] for name in made} == made
    firms = [row["firm_id"] for row in made["items"]]
    done(home, "shortlist", "decide", identity, firms[0], "推荐", "--by", "li")
    assert done(home, "shortlist", "grounds", identity, firms[1])["items"] == []
    wrong = refused(home, "shortlist", "decide", identity, firms[1], "refuse", "--ground", "score")
    assert "行政决定只引用条款" in wrong["message"]
    found = done(home, "shortlist", "show", identity)["decisions"]
    assert [one["actor"] for one in found["items"]] == ["li"]
    assert found["undecided"] == firms[1:]
    (kept,) = done(home, "shortlist", "lists")["items"]
    assert kept["shortlist_id"] == identity
    assert Workspace(home).store.audited() > 0
    refused(home, "shortlist", "show", "nothing")


def test_what_is_not_saved_is_told_and_forgotten(home: Path) -> None:
    made = listed(home)
    assert "shortlist_id" not in made
    assert done(home, "shortlist", "lists")["items"] == []
    first = made["items"][0]["firm_id"]
    without = listed(home, "--exclude", first)
    assert first not in [row["firm_id"] for row in without["items"]]
    last = listed(
        home,
        "--include",
        done(home, "shortlist", "--task", TASK, "--k", 50)["items"][-1]["firm_id"],
    )
    assert last["items"][-1]["included"]
    district = made["items"][0]["district"]
    own = listed(home, "--district", district)
    assert {row["district"] for row in own["items"]} == {district}


@pytest.mark.parametrize("form", ["csv", "xlsx", "html"])
def test_a_list_is_written(home: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"list.{form}"
    made = listed(home, "--out", file)
    assert file.stat().st_size > 500
    if form == "csv":
        rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
        assert [row[1] for row in rows[1:] if row[1:2]][:1] == [made["items"][0]["firm_id"]]


def test_words_for_people_go_beside_the_list(home: Path) -> None:
    answer = call(home, "shortlist", "--task", TASK, "--k", 3)
    assert "行政决定" in answer.err
    assert answer.out.splitlines()[0].startswith("序号")
    assert "判定" not in answer.out, "a list about no tier has no verdicts to show"
    rows = done(home, "shortlist", "--task", TASK, "--k", 3)["items"]
    for row, line in zip(rows, answer.out.splitlines()[1:], strict=False):
        told = row["p_top"] is not None
        assert (f"{row['place_low']}–{row['place_high']}" in line) == told
    assert ("前K概率" in answer.out) == ("名次区间" in answer.out) == (rows[0]["p_top"] is not None)
    english = call(home, "shortlist", "--task", TASK, "--k", 3, "--lang", "en")
    assert "administrative decisions cite clauses" in english.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "neither"),
        (("--task", TASK, "--tier", "little_giant"), 2, "both"),
        (("--tier", "little_gaint"), 2, "little_giant"),
        (("--tier", "little_giant"), 1, TASK),
        (("--task", TASK, "--mode", "提升"), 2, "a task about rising to a tier"),
        (("--task", TASK, "--include", "nobody"), 2, "no such firm"),
        (("--task", TASK, "--size", "huge"), 2, "micro"),
        (("--task", TASK, "--out", "x.pdf"), 2, "csv"),
    ],
)
def test_wrong_usage_is_named(
    city_home: Trained, words: tuple[str, ...], status: int, said: str
) -> None:
    error = refused(city_home.home, "shortlist", *words, status=status)
    assert said in str(error)


def test_why_one_firm_stands_above_another_is_internal(city_home: Trained) -> None:
    home = city_home.home
    first, second = (row["firm_id"] for row in listed(home)["items"][:2])
    found = done(home, "compare", first, second, "--task", TASK)
    assert found["score_difference"] >= 0
    back = done(home, "compare", second, first, "--task", TASK)
    assert back["score_difference"] == -found["score_difference"]
    told = call(home, "compare", first, second, "--task", TASK)
    assert INTERNAL in told.err
    assert INTERNAL not in told.out
    assert found["snapshot_id"] in told.err
    assert found["model_version"] in told.err
    # What is shown adds up to the difference, to the two digits of each line.
    shown = [float(n) for n in re.findall(r"评分差([+-]\d+\.\d+)", told.out)]
    assert sum(shown) == pytest.approx(found["score_difference"], abs=0.006 * len(shown))
    assert bool(found["rest"]["features"]) == ("其余" in told.out)
    assert refused(home, "compare", first, first, "--task", TASK, status=2)["cure"]
