"""Evaluation: nobody is tested by a model that knows them, and no test hides its shortcomings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_city import Trained, call, done, quick, refused

import model.evaluation
from model.evaluation import Evaluation, evaluate
from model.examples import Cohort
from model.tasks import find
from model.training import Run, train
from serving.workspace import Workspace
from tidu.errors import NotAvailable

GROWTH = find("growth@12", ())


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture
def learned_from(monkeypatch: pytest.MonkeyPatch) -> list[list[Cohort]]:
    """The cohorts that each model of an evaluation learned from."""
    seen: list[list[Cohort]] = []
    learn = model.evaluation.learn

    def noted(rows: object, parts: list[Cohort], *rest: object) -> object:
        seen.append(parts)
        return learn(rows, parts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(model.evaluation, "learn", noted)
    return seen


def test_test_firms_are_in_no_training_cohort(
    city_home: Trained, tmp_path: Path, learned_from: list[list[Cohort]]
) -> None:
    history = Workspace(city_home.home).history()
    ids = [str(f) for f in history.as_of(date(2026, 6, 30)).firm_ids]
    chosen = ids[::3]
    file = tmp_path / "firms.txt"
    file.write_text("\ufeff" + "\r\n".join([*chosen, "", "  "]), encoding="utf-8")
    words = ("--test-as-of", "2025-06-30", "--test-firms", file)
    found = done(city_home.home, "evaluate", "--task", "growth@12", *words)
    assert found["split"] == "by firm"
    assert found["n"] > 0
    assert found["length"]["outcomes"] == found["positives"]
    assert 0 < found["length"]["share"] <= 1
    length = found["dates"][0]["length"]
    assert 0 < length["firms"] <= found["n"]
    assert 0 < length["recall"] <= 1
    trained = {str(f) for part in learned_from[0] for f in part.firm_ids}
    assert trained
    assert not trained & set(chosen)
    # Dates may coincide: the other firms of the test date are learned from.
    assert date(2025, 6, 30) in {part.as_of for part in learned_from[0]}


def test_unknown_test_firms_are_told_of(city_home: Trained, tmp_path: Path) -> None:
    ids = [str(f) for f in Workspace(city_home.home).history().as_of(date(2026, 6, 30)).firm_ids]
    words = ("evaluate", "--task", "growth@12", "--test-as-of", "2025-06-30", "--test-firms")
    file = tmp_path / "firms.txt"
    file.write_text("\n".join(["firm_id", *ids[::2]]))
    answer = call(city_home.home, *words, file, "--json")
    assert answer.status == 0
    assert "1 of" in answer.err
    file.write_text("nobody\nnothing\n")
    assert "nobody" in refused(city_home.home, *words, file)["message"]
    for content in (b"", b"\n \n", b"\xff\xfe\x00\xd8abc"):
        file.write_bytes(content)
        refused(city_home.home, *words, file, status=2)
    refused(city_home.home, *words, tmp_path, status=2)
    refused(city_home.home, *words, tmp_path / "none.txt", status=2)


@pytest.mark.parametrize("day", ["2026-06-30", "2050-01-01", "1990-01-01"])
def test_a_day_without_labels_is_said_so(city_home: Trained, day: str) -> None:
    error = refused(city_home.home, "evaluate", "--task", "growth@12", "--test-as-of", day)
    assert (error["code"], day in error["message"]) == ("not_available", True)


def test_the_report_as_html_stands_alone(city_home: Trained, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    words = ("--test-as-of", "2025-06-30", "--html", page)
    done(city_home.home, "evaluate", "--task", "growth@12", *words)
    text = page.read_text(encoding="utf-8")
    assert "growth@12" in text
    for said in ("名单长度", "临澜区", "微型 micro", "民营", "5–9", "证据不足"):  # fairness, all
        assert said in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<script" not in text


def test_the_report_compares_groups_at_the_length_of_the_list(city_home: Trained) -> None:
    words = ("--task", "growth@12", "--test-as-of", "2024-06-30,2025-06-30")
    found = done(city_home.home, "evaluate", *words)
    fairness = found["fairness"]
    assert fairness["k"] == [max(20, date["positives"]) for date in found["dates"]]
    district = fairness["dimensions"]["district"]
    assert district["unknown"] == 0
    rows = district["questions"]
    assert sum(row["count"] for row in rows["selection"]) == sum(fairness["k"])
    assert sum(row["n"] for row in rows["selection"]) == found["n"]
    assert sum(row["n"] for row in rows["recall"]) == found["positives"]
    assert sum(row["count"] for row in rows["outcome"]) == found["positives"]


def of_a_date(
    day: int, label: list[float], score: list[float], edition: list[str] | None = None
) -> model.evaluation.Tested:
    y, s = np.array(label), np.array(score)
    ids = np.array([f"F{i}" for i in range(len(y))], dtype=object)
    p, by = np.clip(s, 0, 1), np.array(edition or [""] * len(y), dtype=object)
    return model.evaluation.Tested(date(day, 6, 30), ids, ids, y, s, p, p, p, {"rival": -s}, {}, by)


def test_outcomes_are_looked_at_by_the_edition_that_decided_them() -> None:
    """Those of another edition are no misses: of 2026 the list is right, of 2022 it is not."""
    task = find("promotion:little_giant@12", ())
    old = of_a_date(2024, [1, 0, 0], [0.1, 0.5, 0.3], ["2022", "", ""])
    both = of_a_date(2025, [1, 0, 1, 0], [0.9, 0.5, 0.1, 0.3], ["2026", "", "2022", ""])
    found = Evaluation(task, "out of time", (old, both)).as_json()["editions"]
    assert isinstance(found, dict)
    assert {name: part["positives"] for name, part in found.items()} == {"2022": 2, "2026": 1}
    assert {name: part["metrics"]["auc"] for name, part in found.items()} == {"2022": 0, "2026": 1}
    assert found["2026"]["dates"] == ["2025-06-30"]
    assert Evaluation(GROWTH, "out of time", (old, both)).as_json()["editions"] == {}


def test_a_date_of_one_outcome_spoils_no_metric() -> None:
    mixed = of_a_date(2020, [1, 0, 1], [0.9, 0.1, 0.8])
    all_positive = of_a_date(2021, [1, 1], [0.5, 0.6])
    found = Evaluation(GROWTH, "out of time", (mixed, all_positive)).as_json()
    text = json.dumps(found, allow_nan=False)
    assert found["metrics"]["auc"] == 1.0  # type: ignore[index]
    assert (found["n"], found["positives"]) == (5, 4)
    assert "NaN" not in text


# Row labels


def row_labelled(tmp_path: Path, root: Path, firms: int = 60) -> Path:
    """A set like the Spanish one: rows without ids, a status that stays, a group to split by."""
    rng = np.random.default_rng(3)
    rows = []
    for firm in range(firms):
        fails = 2000 + int(rng.integers(0, 4)) if firm % 3 == 0 else 9999
        for year in range(2000, 2004):
            risk = float(year >= fails) + rng.normal(0, 0.3)
            rows.append((year, firm, 50 + 30 * risk, 2 - risk, "YES" if year >= fails else "NO"))
    columns = ["YEAR", "G", "debt", "liquidity", "STATUS"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "rows.csv", index=False)
    source = (root / "examples" / "es_firm_year.toml").read_text().split("[source]")[1]
    source = source.split("[tables.firms]")[0]
    (tmp_path / "rows.toml").write_text(
        f"""name = "rows"
[source]{source}
[tables.firms]
columns.firm_id = {{ row_number = true }}
[tables.annual]
constants.currency = "EUR"
known_on = {{ month = 12, day = 31, years_after = 0, inferred = false }}
[tables.annual.columns]
firm_id = {{ row_number = true }}
year = "YEAR"
debt_ratio_pct = "debt"
current_ratio = "liquidity"
[outcome]
column = "STATUS"
task = "distress"
positive = ["YES"]
negative = ["NO"]
known_on = {{ month = 12, day = 31, years_after = 0, inferred = false }}
group = ["G"]
[tasks.distress]
months = 12
"""
    )
    return tmp_path / "rows.csv"


def test_row_labels_are_tested_by_models_of_strangers(
    home: Path, tmp_path: Path, root: Path, learned_from: list[list[Cohort]]
) -> None:
    file = row_labelled(tmp_path, root)
    done(home, "import", file, "--mapping", tmp_path / "rows.toml")
    found = done(home, "evaluate", "--task", "distress", "--test-as-of", "2003-12-31")
    assert (found["task"], found["n"]) == ("distress@12", 60)
    assert len(learned_from) == 5
    history = Workspace(home).history()
    test = history.as_of(date(2003, 12, 31))
    newest = test.tables["annual"].query("year == 2003")["firm_id"].to_numpy(dtype=object)
    groups = set(test.split_groups(newest))
    for parts in learned_from:
        assert max(part.as_of for part in parts) < date(2003, 12, 31)
        known = {g for part in parts for g in part.groups}
        assert len(groups - known) == len(groups) / 5
    assert found["metrics"]["auc"] > 0.8


def test_row_labels_have_the_window_of_their_source(home: Path, tmp_path: Path, root: Path) -> None:
    done(home, "import", row_labelled(tmp_path, root), "--mapping", tmp_path / "rows.toml")
    words = ("train", "--task", "distress@24", "--as-of", "2003-12-31")
    assert "12" in refused(home, *words, status=2)["message"]
    wrong = refused(home, "train", "--task", "growth@12", "--as-of", "2003-12-31")
    assert "row by row" in wrong["message"]


def test_a_fold_without_both_outcomes_is_survived(home: Path, tmp_path: Path, root: Path) -> None:
    """Two firms with the outcome are enough to train, no firm or every firm are refused."""
    file = row_labelled(tmp_path, root)
    table = pd.read_csv(file)
    table["STATUS"] = np.where((table["G"] < 2) & (table["YEAR"] > 2001), "YES", "NO")
    table.to_csv(file, index=False)
    done(home, "import", file, "--mapping", tmp_path / "rows.toml")
    history = Workspace(home).history()
    task = Workspace(home).task("distress", history)
    report = train(history, task, date(2003, 12, 31)).report
    assert report["positives"] == 4
    one = pd.read_csv(file).assign(STATUS="NO")
    one.to_csv(file, index=False)
    other = tmp_path / "other"
    done(other, "import", file, "--mapping", tmp_path / "rows.toml")
    for status, said in (("NO", "0 positives among 240"), ("YES", "240 positives among 240")):
        pd.read_csv(file).assign(STATUS=status).to_csv(file, index=False)
        done(tmp_path / status, "import", file, "--mapping", tmp_path / "rows.toml")
        words = ("--task", "distress", "--as-of", "2003-12-31")
        assert said in refused(tmp_path / status, "train", *words)["message"]
    with pytest.raises(NotAvailable, match="both outcomes"):
        evaluate(Workspace(other).history(), task, [date(2003, 12, 31)], None, Run())
