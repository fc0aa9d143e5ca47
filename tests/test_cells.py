"""Cells: the accepted forms of numbers, dates, booleans and codes, and nothing else."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells import (
    CellError,
    Number,
    is_blank,
    parse_bool,
    parse_code,
    parse_date,
    parse_number,
    parse_set,
)
from features.headers import Scale, scale_for, split_unit
from features.schema import Column, register
from features.typed import parse_column

MONEY = Column("annual", "money", "金额", "Amount", "float", "万元")
SHARE = Column("annual", "share", "占比", "Share", "float", "%")
COUNT = Column("annual", "count", "数量", "Count", "int", "人")
DAY = Column("annual", "day", "日期", "Day", "date")
NAME = Column("annual", "name", "名称", "Name", "text")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("１２３．４", 123.4),
        ("1,234", 1234.0),
        ("1，234，567.8", 1234567.8),
        ("(123)", -123.0),
        ("（1,234.5）", -1234.5),
        ("\u22125", -5.0),
        ("+5", 5.0),
        ("￥5", 5.0),
        ("-￥5", -5.0),
        ("¥ 1,000", 1000.0),
        (".5", 0.5),
        ("1e5", 1e5),
        (" 7 ", 7.0),
    ],
)
def test_a_plain_number_is_read_however_it_is_typed(text: str, value: float) -> None:
    assert parse_number(text) == Number(value)


@pytest.mark.parametrize(
    "text", ["", " ", "-", "—", "－", "无", "N/A", "n/a", "NaN", "nan", "null", "NULL"]
)
def test_blank_spellings_are_unknown_never_zero(text: str) -> None:
    assert is_blank(text)
    assert parse_number(text) is None
    assert parse_date(text) is None
    assert parse_bool(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("inf", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e309", "not_finite"),
        ("#REF!", "excel_error"),
        ("#DIV/0!", "excel_error"),
        ("abc", "not_a_number"),
        ("1,23", "not_a_number"),
        ("e0", "not_a_number"),
        (".e5", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1_000", "not_a_number"),
        ("(-5)", "not_a_number"),
        ("12 34", "not_a_number"),
        ("--5", "not_a_number"),
        ("%", "not_a_number"),
        ("亿", "not_a_number"),
        ("12人民", "not_a_number"),
    ],
)
def test_other_text_in_a_number_is_refused_with_its_rule(text: str, rule: str) -> None:
    with pytest.raises(CellError, match=r".") as caught:
        parse_number(text)
    assert caught.value.rule == rule
    assert caught.value.cure
    assert caught.value.zh


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.2亿", 12000.0),
        ("3千万", 3000.0),
        ("5万", 5.0),
        ("500万元", 500.0),
        ("20000元", 2.0),
        ("7", 7.0),
    ],
)
def test_amounts_with_a_scale_become_wan(text: str, value: float) -> None:
    got = parse_column(pd.Series([text], dtype="str"), MONEY, Scale())
    assert got.values.tolist() == [value]
    assert not got.faults


def test_a_percent_sign_is_read_in_shares_and_refused_elsewhere() -> None:
    # A fraction (小数) is scaled; a cell that says % is a percentage whatever the header says.
    shares = parse_column(pd.Series(["12.3%", "0.5"], dtype="str"), SHARE, Scale(100.0))
    assert shares.values.tolist() == [12.3, 50.0]
    counts = parse_column(pd.Series(["12%"], dtype="str"), COUNT, Scale())
    assert [f.error.rule for f in counts.faults] == ["wrong_unit"]


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-01",
        "2024-3-1",
        "2024/3/1",
        "2024.3.1",
        "2024年3月1日",
        "20240301",
        "2024-03-01 00:00:00",
    ],
)
def test_a_day_is_read_in_the_usual_forms(text: str) -> None:
    assert parse_date(text) == date(2024, 3, 1)
    got = parse_column(pd.Series([text], dtype="str"), DAY, Scale())
    assert got.values.tolist() == [pd.Timestamp(2024, 3, 1)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2024-03", "date_without_day"),
        ("2024.3", "date_without_day"),
        ("2024年3月", "date_without_day"),
        ("2024-02-30", "impossible_date"),
        ("2023-02-29", "impossible_date"),
        ("1899-12-31", "date_out_of_range"),
        ("24/3/1", "not_a_date"),
        ("2024-03/01", "not_a_date"),
        ("2024-03-01T00:00:00Z", "not_a_date"),
        ("2024-03-01 12:30", "not_a_date"),
        ("45352", "not_a_date"),
    ],
)
def test_other_days_are_refused_with_their_rule(text: str, rule: str) -> None:
    got = parse_column(pd.Series(["2024-01-01", text], dtype="str"), DAY, Scale())
    assert [(f.error.rule, f.positions.tolist()) for f in got.faults] == [(rule, [1])]
    assert got.values.isna().tolist() == [False, True]


def test_a_number_is_a_day_only_in_a_spreadsheet() -> None:
    cells = pd.Series([45352.0, np.nan, 12.5])
    got = parse_column(cells, DAY, Scale(), serials=True)
    assert got.values.iloc[0] == pd.Timestamp(2024, 3, 1)
    assert got.values.isna().tolist() == [False, True, True]
    assert [f.error.rule for f in got.faults] == ["not_a_date"]


@pytest.mark.parametrize("text", ["是", "yes", "Y", "1", "TRUE", "Ｙ"])
def test_yes(text: str) -> None:
    assert parse_bool(text) is True


@pytest.mark.parametrize("text", ["否", "No", "n", "0", "false"])
def test_no(text: str) -> None:
    assert parse_bool(text) is False


def test_a_doubtful_answer_is_refused() -> None:
    with pytest.raises(CellError, match="Yes or no"):
        parse_bool("maybe")


def test_codes_are_found_by_any_spelling_and_near_ones_are_named() -> None:
    spelled = register().column("titles", "tier").spellings()
    assert parse_code("小巨人", spelled) == "little_giant"
    assert parse_code(" Little_Giant ", spelled) == "little_giant"
    with pytest.raises(CellError, match="listed") as caught:
        parse_code("小巨人企", spelled)
    assert "little_giant" in caught.value.cure


def test_a_listed_spelling_stands_above_blank() -> None:
    spelled = register().column("events", "board").spellings()
    assert parse_code("无", spelled) == "none"
    assert parse_code("—", spelled) is None


def test_sets_are_sorted_and_joined() -> None:
    spelled = register().column("firms", "four_new_tag").spellings()
    assert parse_set("新业态、新技术", spelled) == "format;technology"
    with pytest.raises(CellError, match="listed"):
        parse_set("新技术、新花样", spelled)


def test_a_long_code_stored_as_a_number_is_refused() -> None:
    got = parse_column(pd.Series([91110000600037341.0, 12.0]), NAME, Scale())
    assert [f.error.rule for f in got.faults] == ["digits_lost"]
    assert got.values.iloc[1] == "12"
    text = parse_column(pd.Series(["911100006000373414"], dtype="str"), NAME, Scale())
    assert text.values.tolist() == ["911100006000373414"]
    assert not text.faults


def test_an_excel_error_is_no_name() -> None:
    got = parse_column(pd.Series(["#REF!", "甲"], dtype="str"), NAME, Scale())
    assert [f.error.rule for f in got.faults] == ["excel_error"]


def test_whole_numbers_are_whole() -> None:
    got = parse_column(pd.Series(["12", "12.5", "12人"], dtype="str"), COUNT, Scale())
    assert got.values.tolist()[0::2] == [12.0, 12.0]
    assert [(list(f.texts), f.error.rule) for f in got.faults] == [(["12.5"], "not_whole")]


def test_mixed_cells_of_a_spreadsheet_are_read_one_by_one() -> None:
    cells = pd.Series([1.5, "2,000", None, True, "x"], dtype=object)
    got = parse_column(cells, MONEY, Scale())
    assert got.values.tolist()[:2] == [1.5, 2000.0]
    assert got.values.isna().tolist()[2:] == [True, True, True]
    assert [f.positions.tolist() for f in got.faults] == [[3, 4]]


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("营业收入（万元）", "营业收入", "万元"),
        ("资产 [元]", "资产", "元"),
        ("year", "year", ""),
        ("研发投入(含资本化)(千元)", "研发投入(含资本化)", "千元"),
    ],
)
def test_a_unit_stands_in_brackets_behind_the_name(header: str, name: str, unit: str) -> None:
    assert split_unit(header) == (name, unit)


@pytest.mark.parametrize(
    ("unit", "column", "value"),
    [
        ("元", MONEY, 0.0005),
        ("千元", MONEY, 0.5),
        ("万元", MONEY, 5.0),
        ("百万元", MONEY, 500.0),
        ("亿元", MONEY, 50000.0),
        ("小数", SHARE, 500.0),
        ("%", SHARE, 5.0),
        ("万人", COUNT, 50000.0),
    ],
)
def test_units_of_headers_are_converted(unit: str, column: Column, value: float) -> None:
    scale = scale_for(unit, column)
    assert scale is not None
    assert 5.0 * scale.times / scale.by == value


def test_a_foreign_unit_is_no_factor() -> None:
    assert scale_for("美元", MONEY) is None
    assert scale_for("元", SHARE) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_survives_its_own_text(value: float) -> None:
    got = parse_column(pd.Series([repr(value)], dtype="str"), MONEY, Scale())
    assert got.values.iloc[0] == value


@given(st.floats(-1e15, 1e15), st.sampled_from(["{:,.2f}", "{:.2f}", "￥{:,.2f}"]))
def test_the_vector_path_and_the_cell_path_agree(value: float, form: str) -> None:
    text = form.format(value)
    alone = parse_number(text)
    got = parse_column(pd.Series([text], dtype="str"), MONEY, Scale())
    assert alone is not None
    assert got.values.iloc[0] == alone.value


@given(st.text(max_size=12))
def test_any_text_is_a_value_unknown_or_a_fault(text: str) -> None:
    for column in (MONEY, SHARE, COUNT, DAY, NAME):
        got = parse_column(pd.Series([text], dtype="str"), column, Scale())
        value = got.values.iloc[0]
        assert not (isinstance(value, float) and math.isinf(value))
        if got.faults:
            assert pd.isna(value) or column is NAME


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_every_day_survives_its_own_text(day: date) -> None:
    for text in (day.isoformat(), f"{day.year}年{day.month}月{day.day}日", f"{day:%Y/%m/%d}"):
        assert parse_date(text) == day
