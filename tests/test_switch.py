"""The back-test of a switch of edition, on firms whose titles follow a rule that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_rows import rows_of_tables
from small_city import Trained, done, quick, refused
from test_titles import ALL, Row, title

import model.evaluated
import model.switch
from features.mapping import Coverage
from features.panel import History
from model.bundle import load, write
from model.examples import Cohort
from model.scoring import score
from model.switch import Switch, back_test
from model.tasks import find
from model.training import train
from serving.publishing import task_part
from tidu.errors import NotAvailable, UsageError

TASK = find("promotion:innovative_sme@12", ())
YEARS = range(2021, 2026)
SWITCH = 2023  # titles of this autumn and later are given under the edition of 2023
DATES = ["2023-06-30", "2024-06-30", "2025-06-30"]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


def granted(rule_moves: bool, seed: int = 1, firms: int = 120) -> History:
    """Each autumn a fifth of firms gets a title that ends at once: those with most R&D, or, where
    the rule moves with the edition, those with least debt."""
    rng = np.random.default_rng(seed)
    names = [f"F{i:03d}" for i in range(firms)]
    annual: list[Row] = []
    titles: list[Row] = []
    for year in YEARS:
        rd, debt = rng.random(firms), rng.random(firms)
        merit = -debt if rule_moves and year >= SWITCH else rd
        best = np.argsort(merit + 0.05 * rng.standard_normal(firms))[-firms // 5 :]
        edition = "2023" if year >= SWITCH else "2022"
        on = f"{year}-10-31"
        titles += [title(names[i], TASK.tier, on, on, rule_edition=edition) for i in sorted(best)]
        annual += [
            {
                "firm_id": name, "year": year - 1, "known_on": f"{year}-04-30",
                "revenue": 1000.0, "employees": 40.0, "rd_expense": 200 * rd[i],
                "total_assets": 1000.0, "total_liabilities": 1000 * debt[i],
            }
            for i, name in enumerate(names)
        ]  # fmt: skip
    covered = tuple(Coverage(kind, date(2010, 1, 1), date(2026, 6, 30)) for kind in ALL)
    return History("0" * 64, rows_of_tables(annual=annual, titles=titles), (), covered, (), None)


@pytest.fixture(scope="module")
def moved() -> Switch:
    """The back-test where the rule moves with the edition."""
    with quick():
        return back_test(granted(rule_moves=True), TASK, "工信部企业〔2023〕1号")


def part(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def ap(side: object) -> float:
    return float(part(side)["ap"])


def test_what_the_switch_costs_is_seen_where_the_rule_moves(moved: Switch) -> None:
    found = moved.as_json()
    assert (found["edition"], found["eve"]) == ("2023", "2023-06-30")
    assert [test.as_of.isoformat() for test in moved.before] == DATES
    # Without knowledge a fifth of any list is positive; the rule that was is of no use any more.
    assert ap(found["before"]) < 0.3
    gain = part(found["gain"])["ap"]
    assert gain["value"] == pytest.approx(ap(found["after"]) - ap(found["before"]))
    assert gain["low"] > 0.05


def test_nothing_is_gained_where_only_the_name_changes() -> None:
    found = back_test(granted(rule_moves=False), TASK, "2023").as_json()
    assert ap(found["before"]) > 0.8
    gain = part(found["gain"])["ap"]
    assert gain["low"] <= 0.02
    assert gain["low"] <= gain["value"] <= gain["high"]


def test_no_model_before_the_switch_has_seen_it_and_none_after_knows_whom_it_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned: list[tuple[list[Cohort], Cohort]] = []
    plain = model.switch.scored

    def noted(parts: list[Cohort], trained: Any, test: Cohort) -> model.evaluated.Tested:
        learned.append((parts, test))
        return plain(parts, trained, test)

    monkeypatch.setattr(model.switch, "scored", noted)
    back_test(granted(rule_moves=True), TASK, "2023")
    assert len(learned) == len(DATES) * (1 + model.switch.FOLDS)
    for parts, test in learned:
        since = [part for part in parts if (part.edition == "2023").any()]
        old = [part for part in parts if not (part.edition == "2023").any()]
        assert old
        assert all(part.as_of < date(2023, 6, 30) for part in old)
        assert all(part.as_of <= test.as_of for part in since)
        for part in parts:  # but what had ended by the day of the test
            if part.as_of >= test.as_of:
                assert not set(part.groups) & set(test.groups)
    assert sum(any((p.edition == "2023").any() for p in parts) for parts, _ in learned) == (
        len(DATES) * model.switch.FOLDS
    )


def test_the_same_question_gets_the_same_answer(moved: Switch) -> None:
    again = back_test(granted(rule_moves=True), TASK, "2023").as_json()
    assert json.dumps(again, sort_keys=True) == json.dumps(moved.as_json(), sort_keys=True)


def test_the_report_of_a_switch_on_the_command_line(city_home: Trained, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    words = ("--task", "promotion:innovative_sme", "--switch", "2022", "--html", page)
    found = done(city_home.home, "evaluate", *words, "--test-as-of", "2022-06-30")
    switch = found["switch"]
    assert switch["edition"] == "2022"
    assert [d["as_of"] for d in found["dates"]] == [d["as_of"] for d in switch["dates"]]
    assert found["editions"]["2022"]["positives"] >= switch["positives"] > 0
    for date_ in switch["dates"]:
        assert "2022" not in date_["before"]["editions"]
        assert date_["after"]["folds"][0]["editions"]["2022"] > 0
    text = page.read_text(encoding="utf-8")
    for said in ("标准切换回测", "认定标准版本", "2022"):
        assert said in text
    refused(city_home.home, "evaluate", "--task", "promotion:innovative_sme", status=2)


def test_what_is_published_says_under_which_edition_it_was_learned(tmp_path: Path) -> None:
    """Three autumns under 2023, two under 2022, which is the one in force for the law's part."""
    seen = granted(rule_moves=False)
    bundle = load(write(train(seen, TASK, date(2026, 6, 30)), tmp_path))
    part_ = task_part(score(bundle, seen.as_of(date(2026, 6, 30))))
    assert part_.facts["editions"] == {"2022": 48, "2023": 72}
    said = [statement["zh"] for statement in part_.facts["statements"]]
    assert said == ["模型基于2023版标准样本"]


def test_what_cannot_be_tested_is_refused_with_what_there_is() -> None:
    seen = granted(rule_moves=False, firms=60)
    with pytest.raises(NotAvailable, match="2022, 2023"):
        back_test(seen, TASK, "2031")
    with pytest.raises(NotAvailable, match="before 2022"):
        back_test(seen, TASK, "2022")
    with pytest.raises(UsageError, match="title"):
        back_test(seen, find("growth@12", ()), "2023")
