"""What is made of the column register: the dictionary, the template, the test strategies."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import ENDS, PARTS, cells, frames, table_sets

from features.dictionary import bounds, data_dictionary, families
from features.schema import SET_SEPARATOR, Column, Table, fold, register
from features.template import CODES_SHEET, NOTES_SHEET, write_template

REGISTER = register()
COLUMNS = [c for t in REGISTER.tables.values() for c in t.columns.values()]
PAGE = Path(__file__).parent.parent / "docs" / "data-dictionary.md"


def test_the_data_dictionary_in_docs_is_the_registers() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_dictionary(REGISTER)


def test_the_data_dictionary_names_every_column_and_code() -> None:
    page = data_dictionary(REGISTER)
    for column in COLUMNS:
        assert f"| `{column.name}`" in page
        assert all(f"`{code}`" in page for code in column.codes)


def test_bounds_and_families_read_as_people_write_them() -> None:
    assert bounds(REGISTER.column("annual", "year")) == "1950–2100"
    assert bounds(REGISTER.column("annual", "employees")) == "0–1,000,000"
    assert bounds(REGISTER.column("annual", "revenue")) == "≥ 0"
    assert bounds(REGISTER.column("annual", "gross_margin_pct")) == "≤ 100"
    assert bounds(REGISTER.column("annual", "net_profit")) == ""
    assert families(REGISTER.column("annual", "debt_ratio_pct")) == "all −"
    assert families(REGISTER.column("firms", "district")) == "–"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    write_template(path, REGISTER)
    return path


def test_every_header_of_the_template_leads_back_to_its_column(template: Path) -> None:
    book = openpyxl.load_workbook(template)
    assert book.sheetnames[-2:] == [NOTES_SHEET, CODES_SHEET]
    by_label = {t.zh: t for t in REGISTER.tables.values()}
    assert set(book.sheetnames[:-2]) == set(by_label)
    for label, table in by_label.items():
        found = [cell.value for cell in book[label][1]]
        known = table.headers()
        plain = [re.sub(r"\([^()]*\)$", "", text) for text in found]
        assert [known[fold(text)] for text in plain] == list(table.columns)
        assert book[label].max_row == 1
    assert "营业收入(万元)" in [cell.value for cell in book["年度数据"][1]]


def test_no_cell_of_the_template_is_a_formula_and_text_stays_text(template: Path) -> None:
    book = openpyxl.load_workbook(template)
    for sheet in book:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    sheet = book["企业"]
    place = list(REGISTER.tables["firms"].columns).index("uscc") + 1
    letter = openpyxl.utils.get_column_letter(place)
    formats = [d for d in sheet.column_dimensions.values() if d.min <= place <= d.max]
    assert formats[0].number_format == "@", letter


def test_the_template_offers_the_codes_of_each_coded_column(template: Path) -> None:
    book = openpyxl.load_workbook(template)
    offered = book["事件"].data_validations.dataValidation
    (kind,) = [v for v in offered if str(v.sqref).startswith("B2:")]
    sheet, _, area = kind.formula1.partition("!")
    assert sheet.strip("'") == CODES_SHEET
    spelled = [cell.value for (cell,) in book[CODES_SHEET][area.replace("$", "")]]
    known = REGISTER.column("events", "kind")
    assert [known.spellings()[fold(text)] for text in spelled] == list(known.codes)


def test_the_notes_explain_every_column(template: Path) -> None:
    rows = list(openpyxl.load_workbook(template)[NOTES_SHEET].values)[1:]
    assert [row[2] for row in rows] == [c.name for c in COLUMNS]
    assert {row[7] for row, c in zip(rows, COLUMNS, strict=True) if c.key} == {"必填"}


def test_the_same_register_gives_the_same_template(template: Path, tmp_path: Path) -> None:
    write_template(tmp_path / "again.xlsx", REGISTER)
    assert (tmp_path / "again.xlsx").read_bytes() == template.read_bytes()


# ------------------------------------------------------------------ strategies keep the register


def _holds(column: Column, value: object) -> bool:
    if value is None:
        return column.nullable
    if column.dtype in ("int", "float"):
        assert isinstance(value, float)
        low, high = column.low, column.high
        inside = (low is None or value >= low) and (high is None or value <= high)
        return inside and (column.dtype == "float" or value.is_integer())
    if column.dtype in ("code", "set"):
        parts = str(value).split(SET_SEPARATOR) if column.dtype == "set" else [str(value)]
        return set(parts) <= set(column.codes)
    return value in (0.0, 1.0) if column.dtype == "bool" else bool(str(value).strip())


@given(st.data(), st.sampled_from(COLUMNS))
def test_drawn_cells_keep_type_bounds_and_codes(data: st.DataObject, column: Column) -> None:
    assert _holds(column, data.draw(cells(column)))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data(), st.sampled_from(list(REGISTER.tables.values())))
def test_drawn_frames_have_distinct_keys_and_the_dtypes_of_the_contract(
    data: st.DataObject, table: Table
) -> None:
    frame = data.draw(frames(table))
    assert not frame.duplicated(list(table.key)).any()
    assert not frame[list(table.key)].isna().to_numpy().any()
    for name in frame.columns.drop(["known_on", "known_inferred"]):
        kind = table.columns[name].dtype
        wanted = {"date": "datetime64[s]", "text": "str", "code": "str", "set": "str"}
        assert str(frame[name].dtype) == wanted.get(kind, "float64"), name
    assert str(frame["known_on"].dtype) == "datetime64[s]"
    assert frame["known_inferred"].dtype == bool


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(table_sets())
def test_drawn_sets_hang_together(tables: dict[str, pd.DataFrame]) -> None:
    known = set(tables["firms"]["firm_id"])
    for frame in tables.values():
        assert set(frame["firm_id"]) <= known
        for part, whole in (PARTS | ENDS).items():
            if part in frame and whole in frame:
                wrong = frame[part] < frame[whole] if part in ENDS else frame[part] > frame[whole]
                assert not wrong.any()
