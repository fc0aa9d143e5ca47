"""Mappings: frozen, validated with all problems at once, the same through JSON."""

from __future__ import annotations

import tomllib
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.mapping_build import load_mapping, rebuilt
from features.prepared import Prepared, prepare
from tidu.errors import DataError

TODAY = date(2026, 11, 23)
EXAMPLES = ("cn_neeq", "kr_listed", "kr_delisted", "no_hospitality", "es_firm_year", "template")
SOURCE = {"authority": "A", "legal_basis": "B", "purposes": ["test"], "valid_until": "2030-12-31"}


def document(**parts: Any) -> dict[str, Any]:
    annual = {"columns": {"firm_id": "id", "year": "year", "revenue": "rev"}}
    return {"name": "m", "source": dict(SOURCE), "tables": {"annual": annual}, **parts}


def problems(**parts: Any) -> dict[str, str]:
    with pytest.raises(DataError, match="problem") as caught:
        rebuilt(document(**parts))
    assert all(i.level == "error" and i.cure and i.zh for i in caught.value.issues)
    return {i.column: i.rule for i in caught.value.issues}


def run(folder: Path, text: str, parts: dict[str, Any], today: date = TODAY) -> Prepared:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    return prepare(path, rebuilt(document(**parts)), today)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_mapping_survives_json(root: Path, name: str) -> None:
    mapping = load_mapping(root / f"examples/{name}.toml")
    again = rebuilt(mapping.as_json())
    assert again == mapping
    assert again.digest == mapping.digest
    assert mapping.name == name


def test_the_digest_depends_on_the_content_not_on_its_order() -> None:
    parts = document()
    turned = dict(reversed(parts.items()))
    assert rebuilt(parts).digest == rebuilt(turned).digest
    assert rebuilt(document(live=True)).digest != rebuilt(parts).digest


def test_a_mapping_is_frozen() -> None:
    mapping = rebuilt(document())
    with pytest.raises(FrozenInstanceError, match="name"):
        mapping.name = "other"  # type: ignore[misc]


def test_all_problems_are_reported_at_once() -> None:
    bad = {
        "annual": {
            "columns": {"firm_id": "id", "revnue": "rev", "net_profit": 3},
            "factor": {"revenue": "x"},
            "known_on": {"month": 2, "day": 31},
        },
        "anual": {},
    }
    found = problems(
        tables=bad,
        nmae="x",
        source={"authority": "A"},
        coverage={"listd": {"start": "2020-01-01"}},
        tasks={"growht": {"months": 0}},
        out_of_bounds="maybe",
    )
    assert found == {
        "nmae": "mapping_unknown_key",
        "source.legal_basis": "mapping_missing",
        "source.purposes": "mapping_missing",
        "source.valid_until": "mapping_date",
        "tables.annual.columns.revnue": "unknown_column",
        "tables.annual.columns.net_profit": "mapping_type",
        "tables.annual.columns.year": "missing_key",
        "tables.annual.factor.revenue": "mapping_type",
        "tables.annual.known_on": "mapping_value",
        "tables.anual": "mapping_unknown_key",
        "coverage.listd": "unlisted_code",
        "coverage.listd.end": "mapping_date",
        "tasks.growht": "mapping_value",
        "tasks.growht.months": "mapping_value",
        "out_of_bounds": "mapping_value",
    }


def test_near_names_are_suggested() -> None:
    with pytest.raises(DataError, match="problem") as caught:
        rebuilt(document(ignroe=["x"]))
    assert "Did you mean 'ignore'?" in caught.value.issues[0].message


@pytest.mark.parametrize(
    ("extra", "where"),
    [
        ({"column": "X", "en": "x"}, "extras.x.zh"),
        ({"column": "X", "zh": "甲", "en": "x", "direction": 2}, "extras.x"),
        ({"column": "X", "zh": "甲", "en": "x", "type": "code"}, "extras.x.ordered"),
        ({"column": "X", "zh": "甲", "en": "x", "families": ["growht"]}, "extras.x"),
    ],
)
def test_a_further_column_is_checked(extra: dict[str, Any], where: str) -> None:
    assert where in problems(extras={"x": extra})


def test_a_further_column_cannot_take_a_name_of_the_register() -> None:
    extra = {"column": "X", "zh": "甲", "en": "x"}
    assert problems(extras={"revenue": extra}) == {"extras.revenue": "mapping_value"}


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    for data in (b"name =", b"\xff\xfe\x00"):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"m\.toml"):
            load_mapping(path)
    with pytest.raises(DataError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")


def test_numbers_that_json_lacks_are_problems_not_crashes() -> None:
    assert "tasks.growth.floor" in problems(tasks={"growth": {"floor": float("nan")}})


def test_an_expired_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2030-12-31") as caught:
        run(tmp_path, "id,year,rev\nF,2020,1\n", {}, date(2031, 1, 1))
    assert caught.value.issues[0].rule == "source_expired"


# Values


def test_factors_constants_recodes_and_units(tmp_path: Path) -> None:
    tables = {
        "annual": {
            "columns": {"firm_id": "id", "year": "year", "revenue": "rev",
                        "net_profit": "净利润(元)", "reporting_basis": "basis"},
            "factor": {"revenue": 1e-4},
            "constants": {"currency": "KRW"},
            "values": {"reporting_basis": {"C": "consolidated", "-": ""}},
        }
    }  # fmt: skip
    text = "id,year,rev,净利润（元）,basis\nF,2020,1032067687962,20000,C\nF,2021,,,-\n"
    annual = run(tmp_path, text, {"tables": tables}).tables["annual"]
    assert annual["revenue"].iloc[0] == 1032067687962 / 10_000
    assert annual["net_profit"].iloc[0] == 2.0
    assert annual["currency"].tolist() == ["KRW", "KRW"]
    assert annual["reporting_basis"].iloc[0] == "consolidated"
    assert annual.iloc[1][["revenue", "net_profit", "reporting_basis"]].isna().all()
    assert annual["year"].dtype == "int64"


def test_a_cause_that_the_mapping_does_not_list_is_an_error(tmp_path: Path) -> None:
    tables = {
        "events": {
            "columns": {"firm_id": "id", "on": "day", "kind": "why"},
            "values": {"kind": {"자본전액잠식": "delisted"}},
        }
    }
    text = "id,day,why\nA,2020-01-01,자본전액잠식\nB,2020-01-01,자본전액잠식 등\n"
    with pytest.raises(DataError, match="자본전액잠식 등") as caught:
        run(tmp_path, text, {"tables": tables})
    (issue,) = caught.value.issues
    assert (issue.rule, issue.row, issue.column) == ("unlisted_code", 3, "why")


@pytest.mark.parametrize(("how", "expected"), [("keep", -5.0), ("unknown", np.nan)])
def test_a_value_out_of_bounds_warns_and_stands_or_becomes_unknown(
    tmp_path: Path, how: str, expected: float
) -> None:
    got = run(tmp_path, "id,year,rev\nF,2020,-5\n", {"out_of_bounds": how})
    np.testing.assert_equal(got.tables["annual"]["revenue"].iloc[0], expected)
    (warning,) = got.warnings
    assert (warning.rule, warning.row, warning.column, warning.value) == (
        "out_of_bounds",
        2,
        "rev",
        "-5",
    )


def test_a_year_out_of_bounds_is_always_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="within 1950"):
        run(tmp_path, "id,year,rev\nF,202,1\n", {})


def test_repeated_rows_of_firms_fold_when_they_agree(tmp_path: Path) -> None:
    firms = {"columns": {"firm_id": "id", "sector": "s"}, "dedupe": True}
    tables = {**document()["tables"], "firms": firms}
    text = "id,year,rev,s\nF,2020,1,\nF,2021,1,甲\nG,2020,1,乙\n"
    got = run(tmp_path, text, {"tables": tables}).tables["firms"]
    assert got[["firm_id", "sector"]].values.tolist() == [["F", "甲"], ["G", "乙"]]
    clash = text + "F,2022,1,丙\n"
    with pytest.raises(DataError, match="sector must be the same") as caught:
        run(tmp_path, clash, {"tables": tables})
    assert [(i.row, i.value) for i in caught.value.issues] == [(5, "丙")]
    firms["on_conflict"] = "last"
    kept = run(tmp_path, clash, {"tables": tables})
    assert kept.tables["firms"]["sector"].tolist() == ["丙", "乙"]
    assert {w.rule for w in kept.warnings} == {"conflicting_rows"}


# Clocks


def known(got: Prepared, table: str = "annual") -> list[tuple[str, bool]]:
    frame = got.tables[table]
    days = frame["known_on"].dt.strftime("%Y-%m-%d")
    return list(zip(days, frame["known_inferred"], strict=True))


def test_accounts_without_a_date_are_known_in_june_and_marked(tmp_path: Path) -> None:
    got = run(tmp_path, "id,year,rev\nF,2020,1\nF,2025,1\nF,2026,1\n", {})
    # What is in the file today is known today, however young the year.
    assert known(got) == [("2021-06-30", True), ("2026-06-30", True), ("2026-11-23", False)]


def test_live_accounts_are_known_from_the_import(tmp_path: Path) -> None:
    got = run(tmp_path, "id,year,rev\nF,2024,1\nF,2025,1\n", {"live": True})
    assert known(got) == [("2025-06-30", True), ("2026-11-23", False)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"month": 12, "day": 31, "years_after": 0, "inferred": False}, ("2020-12-31", False)),
        ({"month": 6, "day": 30, "plus_column": "lag"}, ("2023-06-30", True)),
        ({"column": "filed"}, ("2021-04-02", False)),
        ("2019-12-31", ("2019-12-31", False)),
        ({"live": True}, ("2026-11-23", False)),
        ({"always": True}, ("1900-01-01", False)),
    ],
)
def test_rules_for_known_on(tmp_path: Path, rule: Any, expected: tuple[str, bool]) -> None:
    tables = document()["tables"]
    tables["annual"]["known_on"] = rule
    text = "id,year,rev,lag,filed\nF,2020,1,2,2021-04-02\n"
    ignored = {"tables": tables, "ignore": ["lag", "filed"]}
    got = run(tmp_path, text, ignored)
    assert known(got) == [expected]
    assert not got.warnings


def test_firms_are_known_from_their_founding_or_always(tmp_path: Path) -> None:
    tables = {"firms": {"columns": {"firm_id": "id", "founded_on": "day"}}}
    got = run(tmp_path, "id,day\nF,2015-02-03\nG,\n", {"tables": tables})
    assert known(got, "firms") == [("2015-02-03", False), ("1900-01-01", False)]


# Row-labelled sets

LABELLED = {
    "tables": {
        "annual": {"columns": {"firm_id": {"row_number": True}, "year": "year", "revenue": "rev"}},
        "firms": {"columns": {"firm_id": {"row_number": True}}},
    },
    "outcome": {
        "column": "failed", "task": "distress", "positive": ["YES"], "negative": ["NO"],
        "known_on": {"month": 12, "day": 31, "years_after": 0},
        "group": ["town", {"minus": ["year", "age"]}],
    },
}  # fmt: skip


def test_a_row_labelled_set_has_ids_groups_and_outcomes(tmp_path: Path) -> None:
    text = "year,rev,failed,town,age\n2000,1,NO,7,3\n2001,2,yes,7,4\n2001,3,,,1\n"
    got = run(tmp_path, text, LABELLED)
    assert got.tables["annual"]["firm_id"].tolist() == ["1", "2", "3"]
    assert got.tables["firms"]["split_group"].tolist() == ["7|1997", "7|1997", ""]
    outcomes = got.tables["outcomes"]
    assert outcomes[["firm_id", "year", "outcome"]].values.tolist() == [
        ["1", 2000, 0],
        ["2", 2001, 1],
    ]
    assert "failed" not in got.tables["annual"]
    assert "events" not in got.tables
    assert not got.warnings


@pytest.mark.parametrize(
    "text", ["year,rev,town,age\n2000,1,7,3\n", "year,rev,failed,town,age\n2000,1,,7,3\n"]
)
def test_a_missing_or_empty_outcome_imports(tmp_path: Path, text: str) -> None:
    got = run(tmp_path, text, LABELLED)
    assert len(got.tables["annual"]) == 1
    assert len(got.tables["outcomes"]) == 0
    assert [w.rule for w in got.warnings] == ([] if "failed" in text else ["no_outcome"])


def test_an_outcome_that_is_not_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="YES, NO"):
        run(tmp_path, "year,rev,failed,town,age\n2000,1,MAYBE,7,3\n", LABELLED)


def test_examples_state_a_source(root: Path) -> None:
    for name in EXAMPLES:
        raw = tomllib.loads((root / f"examples/{name}.toml").read_text(encoding="utf-8"))
        assert set(raw["source"]) >= set(SOURCE)


def test_the_example_of_the_docs_is_a_mapping(root: Path) -> None:
    text = (root / "docs/importing.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    assert rebuilt(tomllib.loads(example)).name == "kr_listed"
