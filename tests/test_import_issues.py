"""Bad input: every problem at once, each with its place, its value, its rule and a cure."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

from features.mapping import Mapping
from features.mapping_build import load_mapping, rebuilt
from features.prepared import Prepared, prepare
from features.schema import register
from tidu.errors import DataError, Issue

TODAY = date(2026, 11, 23)
VALID = "91110000600037341L"


@pytest.fixture
def template(root: Path) -> Mapping:
    return load_mapping(root / "examples/template.toml")


def load(folder: Path, text: str, mapping: Mapping, name: str = "data.csv") -> Prepared:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return prepare(path, mapping, TODAY)


def refused(folder: Path, text: str, mapping: Mapping) -> tuple[Issue, ...]:
    with pytest.raises(DataError, match=r"data\.csv") as caught:
        load(folder, text, mapping)
    for issue in caught.value.issues:
        assert issue.file == "data.csv"
        assert issue.message
        assert issue.cure
        assert issue.zh
    json.dumps(caught.value.details, ensure_ascii=False)
    return caught.value.issues


def brief(issues: tuple[Issue, ...]) -> set[tuple[Any, ...]]:
    return {(i.level, i.rule, i.row, i.column, i.value) for i in issues}


def test_a_clean_file_of_the_template_has_no_issue(tmp_path: Path, template: Mapping) -> None:
    text = (
        "企业编号,会计年度,营业收入(元),从业人员,已审计\nF1,2020,20000,12,是\nF1,2021,30000,,否\n"
    )
    got = load(tmp_path, text, template)
    assert not got.warnings
    assert list(got.tables) == ["annual"]
    annual = got.tables["annual"]
    assert annual["revenue"].tolist() == [2.0, 3.0]
    np.testing.assert_equal(annual["employees"].tolist(), [12.0, np.nan])
    assert annual["audited"].tolist() == [1.0, 0.0]
    assert annual["firm_id"].dtype == "str"
    assert annual["known_on"].dtype == "datetime64[s]"
    assert annual["known_inferred"].dtype == "bool"


def test_all_errors_are_reported_at_once_in_their_places(tmp_path: Path, template: Mapping) -> None:
    text = (
        "企业编号,会计年度,营业收入（万元）,从业人员,纳税信用等级,科技奖日期,已审计,营业利闰\n"
        "F1,2020,十二,1.5,Z,2024-02-30,也许,1\n"
        ",2020,1,1,A,2024-02,是,1\n"
        "F2,2020,inf,#REF!,A,2024-02-01,是,1\n"
        "F2,2020,-5,1,A,,是,1\n"
    )
    found = brief(refused(tmp_path, text, template))
    assert found == {
        ("error", "not_a_number", 2, "营业收入（万元）", "十二"),
        ("error", "not_whole", 2, "从业人员", "1.5"),
        ("error", "unlisted_code", 2, "纳税信用等级", "Z"),
        ("error", "impossible_date", 2, "科技奖日期", "2024-02-30"),
        ("error", "not_yes_no", 2, "已审计", "也许"),
        ("error", "missing_key", 3, "企业编号", ""),
        ("error", "date_without_day", 3, "科技奖日期", "2024-02"),
        ("error", "not_finite", 4, "营业收入（万元）", "inf"),
        ("error", "excel_error", 4, "从业人员", "#REF!"),
        ("error", "duplicate_key", 5, "企业编号", "F2"),
        ("error", "out_of_bounds", 5, "营业收入（万元）", "-5"),
        ("warning", "unknown_column", 1, "营业利闰", ""),
    }


def test_an_unknown_column_warns_with_the_near_name(tmp_path: Path, template: Mapping) -> None:
    got = load(tmp_path, "企业编号,会计年度,营业收人\nF,2020,1\n", template)
    (warning,) = got.warnings
    assert warning.rule == "unknown_column"
    assert "'营业收入'" in warning.message


@pytest.mark.parametrize("header", ["会计年度,营业收入", "企业编号,营业收入,净利润"])
def test_a_missing_key_column_is_an_error(tmp_path: Path, template: Mapping, header: str) -> None:
    row = ",".join("1" for _ in header.split(","))
    issues = refused(tmp_path, f"{header}\n{row}\n", template)
    assert {i.rule for i in issues if i.level == "error"} <= {"missing_key", "unknown_sheet"}


def test_a_column_that_the_mapping_names_must_be_there(tmp_path: Path) -> None:
    mapping = rebuilt(
        {
            "name": "m",
            "source": {
                "authority": "a",
                "legal_basis": "b",
                "purposes": ["t"],
                "valid_until": "2030-01-01",
            },
            "tables": {
                "annual": {"columns": {"firm_id": "id", "year": "year", "revenue": "revenue"}}
            },
        }
    )
    issues = refused(tmp_path, "id,year,revnue\nF,2020,1\n", mapping)
    assert [(i.level, i.rule) for i in issues] == [
        ("error", "missing_column"),
        ("warning", "unknown_column"),
    ]
    assert "Did you mean 'revnue'?" in issues[0].message


@pytest.mark.parametrize(
    "header",
    [
        "企业编号,会计年度,年度",
        "企业编号,会计年度,营业收入,营业收入",
        "企业编号,会计年度,营业收入(元),营收",
    ],
)
def test_one_field_has_one_column(tmp_path: Path, template: Mapping, header: str) -> None:
    row = ",".join("1" for _ in header.split(","))
    issues = refused(tmp_path, f"{header}\n{row}\n", template)
    assert "duplicate_header" in {i.rule for i in issues}


def test_a_unit_that_cannot_be_converted_is_an_error(tmp_path: Path, template: Mapping) -> None:
    issues = refused(tmp_path, "企业编号,会计年度,营业收入(美元)\nF,2020,1\n", template)
    assert brief(issues) == {("error", "unknown_unit", 1, "营业收入(美元)", "美元")}


def test_duplicates_name_the_first_row(tmp_path: Path, template: Mapping) -> None:
    issues = refused(tmp_path, "企业编号,会计年度\nF,2020\nG,2020\nF,2020\nF,2020\n", template)
    assert [(i.row, i.value) for i in issues] == [(4, "F"), (5, "F")]
    assert all("row 2" in i.message for i in issues)


def test_relations_across_columns_warn_and_stand(tmp_path: Path, template: Mapping) -> None:
    text = (
        "企业编号,会计年度,营业收入,研发费用,资产总额,负债总额,净资产\n"
        "F,2020,10,100,100,50,30\n"
        "G,2020,10,1,100,50,50\n"
        "H,2020,10,,100,50,\n"
    )
    got = load(tmp_path, text, template)
    assert brief(got.warnings) == {
        ("warning", "rd_above_revenue", 2, "研发费用", "100"),
        ("warning", "balance_gap", 2, "资产总额", "100"),
    }
    assert got.tables["annual"]["rd_expense"].iloc[0] == 100


def test_a_credit_code_is_checked(tmp_path: Path, template: Mapping) -> None:
    good = load(tmp_path, f"企业编号,统一社会信用代码\nF,{VALID}\n", template)
    assert not good.warnings
    issues = refused(tmp_path, f"企业编号,统一社会信用代码\nF,{VALID[:-1]}M\nG,{VALID}\n", template)
    assert [(i.level, i.row, i.column) for i in issues] == [("error", 2, "统一社会信用代码")]


def test_two_firms_with_one_credit_code_warn(tmp_path: Path, template: Mapping) -> None:
    got = load(tmp_path, f"企业编号,统一社会信用代码\nF,{VALID}\nG,{VALID}\n", template)
    assert [(w.rule, w.row) for w in got.warnings] == [("shared_uscc", 2), ("shared_uscc", 3)]


def test_a_workbook_of_several_tables(tmp_path: Path, template: Mapping) -> None:
    path = tmp_path / "book"
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        firms = book.add_worksheet("企业")
        firms.write_row(0, 0, ["企业编号", "成立日期", "统一社会信用代码"])
        firms.write_row(1, 0, [1001])
        firms.write_datetime(1, 1, date(2015, 5, 6), day)
        firms.write(2, 0, "F2")
        firms.write(2, 1, 42130)
        annual = book.add_worksheet("年度数据")
        annual.write_row(0, 0, ["企业编号", "会计年度", "营业收入(元)"])
        annual.write_row(1, 0, [1001, 2020, "1.2亿"])
        book.add_worksheet("填写说明").write_row(0, 0, ["表", "字段"])
        book.add_worksheet("称号")
    got = prepare(path, template, TODAY)
    assert not got.warnings
    assert got.tables["firms"]["firm_id"].tolist() == ["1001", "F2"]
    assert got.tables["firms"]["founded_on"].tolist() == [pd.Timestamp(2015, 5, 6)] * 2
    assert got.tables["annual"]["firm_id"].tolist() == ["1001"]
    assert got.tables["annual"]["revenue"].tolist() == [12000.0]


def test_an_issue_of_a_workbook_names_its_sheet(tmp_path: Path, template: Mapping) -> None:
    path = tmp_path / "book"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("企业")
        sheet.write_row(0, 0, ["企业编号", "统一社会信用代码"])
        sheet.write_row(3, 0, ["F", 91110000600037341])
    with pytest.raises(DataError, match="lost its tail") as caught:
        prepare(path, template, TODAY)
    (issue,) = caught.value.issues
    assert (issue.file, issue.sheet, issue.row, issue.column) == (
        "book",
        "企业",
        4,
        "统一社会信用代码",
    )
    assert issue.rule == "digits_lost"


def test_a_workbook_with_a_strange_sheet_says_so(tmp_path: Path, template: Mapping) -> None:
    path = tmp_path / "book"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("企业").write_column(0, 0, ["企业编号", "F"])
        book.add_worksheet("其他").write_column(0, 0, ["甲", "乙"])
    (warning,) = prepare(path, template, TODAY).warnings
    assert (warning.rule, warning.sheet) == ("unknown_sheet", "其他")


def test_the_template_that_we_hand_out_is_recognised(tmp_path: Path, template: Mapping) -> None:
    """Every header of the register, with its unit, finds its column."""
    for table in register().tables.values():
        headers = [f"{c.zh}({c.unit})" if c.unit else c.zh for c in table.columns.values()]
        sample = {
            "text": "x",
            "int": "1",
            "float": "1",
            "bool": "是",
            "date": "2024-03-01",
            "set": "x",
        }
        row = []
        for column in table.columns.values():
            value = next(iter(column.codes), sample.get(column.dtype, ""))
            if column.name == "year":
                value = "2020"
            elif column.low is not None:
                value = f"{column.low:g}"
            row.append(VALID if column.name == "uscc" else value)
        got = load(tmp_path, ",".join(headers) + "\n" + ",".join(row) + "\n", template)
        assert list(got.tables) == [table.name]
        assert set(table.columns) <= set(got.tables[table.name])
        assert "unknown_column" not in {w.rule for w in got.warnings}


def test_known_on_and_withdrawn_may_stand_in_any_table(tmp_path: Path, template: Mapping) -> None:
    text = "企业编号,会计年度,known_on,withdrawn\nF,2020,2021-03-04,\nG,2020,,1\n"
    annual = load(tmp_path, text, template).tables["annual"]
    assert annual["known_on"].dt.strftime("%Y-%m-%d").tolist() == ["2021-03-04", "2021-06-30"]
    assert annual["known_inferred"].tolist() == [False, True]
    np.testing.assert_equal(annual["withdrawn"].tolist(), [np.nan, 1.0])


def test_nothing_but_blank_rows_is_refused(tmp_path: Path, template: Mapping) -> None:
    issues = refused(tmp_path, "企业编号,会计年度\n,\n , \n", template)
    assert {i.rule for i in issues} == {"no_rows"}


def test_one_row_is_enough(tmp_path: Path, template: Mapping) -> None:
    assert len(load(tmp_path, "企业编号,会计年度\nF,2020\n", template).tables["annual"]) == 1


def test_many_problems_are_all_kept(tmp_path: Path, template: Mapping) -> None:
    rows = [f"F{i},2020,x{i % 3},是" for i in range(20_000)]
    issues = refused(tmp_path, "企业编号,会计年度,营业收入,已审计\n" + "\n".join(rows), template)
    assert len(issues) == 20_000
    assert [issues[i].rule for i in (0, -1)] == ["not_a_number"] * 2
    assert {issue.row for issue in issues} == set(range(2, 20_002))


cell = st.one_of(
    st.sampled_from(
        ["", "1", "-", "是", "1.2亿", "2024-03-01", "#REF!", "F", "inf", "A", "12%", "1e9"]
    ),
    st.text(st.characters(exclude_characters='",\r\n\0', exclude_categories=["Cs"]), max_size=8),
)


@example([("F1", "99999999999999999999", "1", "1", "")])
@example([("F1", "2024", "e0", "1", "")])
@given(st.lists(st.tuples(cell, cell, cell, cell, cell), min_size=1, max_size=6))
def test_any_cells_import_or_are_refused_with_places(rows: list[tuple[str, ...]]) -> None:
    """No input crashes: it is a Prepared without unknown keys, or a DataError with places."""
    root = Path(__file__).resolve().parent.parent
    mapping = load_mapping(root / "examples/template.toml")
    body = "\n".join(",".join(row) for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_text(f"企业编号,会计年度,营业收入,已审计,科技奖日期\n{body}\n", encoding="utf-8")
        got = outcome(path, mapping)
    if isinstance(got, DataError):
        assert any(issue.level == "error" for issue in got.issues)
        return
    annual = got.tables["annual"]
    assert annual[["firm_id", "year", "known_on"]].notna().all().all()
    assert not np.isinf(annual["revenue"]).any()


def outcome(path: Path, mapping: Mapping) -> Prepared | DataError:
    try:
        return prepare(path, mapping, TODAY)
    except DataError as error:
        return error
