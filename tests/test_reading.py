"""Reading: what the bytes are decides, not the name; a file is read whole or refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from features.reading import read
from features.workbook_scan import MAX_COLUMNS
from tidu.errors import DataError

TEXT = "企业编号,名称,年度\nF1,甲䶮,2023\nF2,乙𠮷,2024\n"


def write(folder: Path, data: bytes, name: str = "file.any") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def workbook(folder: Path, sheets: dict[str, list[list[object]]]) -> Path:
    path = folder / "book.dat"
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(r, c, value, day)
                elif value is not None:
                    sheet.write(r, c, value)
    book.close()
    return path


def changed(path: Path, part: str, old: str, new: str) -> Path:
    """Rewrite one part of a workbook."""
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            text = source.read(name)
            if name == part:
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            out.writestr(name, text)
    return target


def rule(path: Path) -> str:
    with pytest.raises(DataError, match=r".") as caught:
        read(path)
    (issue,) = {i.rule: i for i in caught.value.issues}.values()
    assert issue.file == path.name
    assert issue.cure
    assert issue.zh
    return issue.rule


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_is_read_in_any_dialect(
    tmp_path: Path, encoding: str, delimiter: str, ending: str
) -> None:
    text = TEXT.replace(",", delimiter).replace("\n", ending)
    (sheet,) = read(write(tmp_path, text.encode(encoding))).sheets
    assert sheet.headers == ("企业编号", "名称", "年度")
    assert sheet.cells.values.tolist() == [["F1", "甲䶮", "2023"], ["F2", "乙𠮷", "2024"]]
    assert sheet.rows.tolist() == [2, 3]


def test_rows_keep_the_number_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    text = 'a,b\n1,"two\nlines"\n\n3,4\n'
    (sheet,) = read(write(tmp_path, text.encode())).sheets
    assert dict(zip(sheet.rows.tolist(), sheet.cells[0], strict=True)) == {2: "1", 3: "", 4: "3"}


def test_the_name_of_the_file_and_gzip_do_not_matter(tmp_path: Path) -> None:
    plain = read(write(tmp_path, TEXT.encode(), "a.xlsx"))
    zipped = read(write(tmp_path, gzip.compress(TEXT.encode()), "b"))
    assert plain.content == zipped.content
    assert plain.sheets[0].cells.equals(zipped.sheets[0].cells)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    frame = pd.DataFrame(
        {
            "id": ["F1", None],
            "n": [1, 2],
            "x": [1.5, None],
            "day": pd.to_datetime(["2024-03-01", None]),
        }
    )
    frame.to_parquet(buffer)
    (sheet,) = read(write(tmp_path, gzip.compress(buffer.getvalue()))).sheets
    assert [sheet.cells[i].dtype.kind for i in (1, 2, 3)] == ["i", "f", "M"]
    assert sheet.cells[0].tolist() == ["F1", ""]


def test_a_workbook_keeps_sheets_days_and_numbers(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["id", "day", "x"],
        ["F1", date(2024, 3, 1), 1.5],
        ["F2", None, "无"],
    ]
    first, second = read(workbook(tmp_path, {"甲": rows, "乙": [["a"], [1]]})).sheets
    assert (first.name, second.name) == ("甲", "乙")
    assert first.headers == ("id", "day", "x")
    assert first.cells[1].iloc[0] == pd.Timestamp(2024, 3, 1)
    assert first.cells[2].tolist() == [1.5, "无"]
    assert first.rows.tolist() == [2, 3]


def test_errors_of_formulas_are_kept_in_their_cells(tmp_path: Path) -> None:
    path = tmp_path / "book"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 0, "=1/0", None, "#DIV/0!")
        sheet.write(1, 1, 1)
    (read_sheet,) = read(path).sheets
    assert read_sheet.cells[0].tolist() == ["#DIV/0!"]


def test_a_formula_without_a_stored_value_is_no_blank(tmp_path: Path) -> None:
    path = tmp_path / "book"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 0, "=1+1")
        sheet.write(1, 1, 1)
    bare = changed(path, "xl/worksheets/sheet1.xml", "<f>1+1</f><v>0</v>", "<f>1+1</f>")
    assert read(bare).sheets[0].cells[0].tolist() == ["#UNCALCULATED!"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty_file"),
        (b" \n \n", "empty_file"),
        (gzip.compress(b"", mtime=0), "empty_file"),
        (b"a,b\n", "no_rows"),
        (b"\na,b\n1,2\n", "no_header"),
        (b"a,b\n1,2,3\n", "ragged_row"),
        (b"a,b\n1\n", "ragged_row"),
        (bytes(range(256)) * 40, "not_text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not_text"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "wrong_format"),
        (b"<html><table></table></html>", "wrong_format"),
        (b"%PDF-1.7", "wrong_format"),
        (b"PAR1" + bytes(40) + b"PAR1", "broken_parquet"),
        (b"PK\x03\x04" + bytes(100), "workbook_damaged"),
        (b"\x1f\x8b\x08" + bytes(20), "broken_gzip"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-12], "broken_gzip"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(
    tmp_path: Path, data: bytes, expected: str
) -> None:
    assert rule(write(tmp_path, data)) == expected


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert rule(tmp_path / "nothing.csv") == "unreadable"


def test_all_ragged_rows_are_reported_with_their_numbers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 row") as caught:
        read(write(tmp_path, b"a,b\n1,2\n3\n4,5\n6,7,8\n"))
    assert [issue.row for issue in caught.value.issues] == [3, 5]


def test_a_workbook_bomb_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, 1)
        sheet.write(1_048_575, 16_383, 1)
    assert path.stat().st_size < 8_000
    assert rule(path) == "workbook_too_large"


def test_a_sheet_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    assert rule(workbook(tmp_path, {"a": [["x"] * (MAX_COLUMNS + 1)]})) == "workbook_too_large"


def test_formatted_empty_cells_far_away_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "styled"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_row(1, 0, [1, 2])
        sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))
    assert read(path).sheets[0].cells.values.tolist() == [[1.0, 2.0]]


def test_a_wrong_dimension_loses_no_row(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"a": [["x"], *([i] for i in range(50))]})
    lying = changed(
        path, "xl/worksheets/sheet1.xml", '<dimension ref="A1:A51"/>', '<dimension ref="A1"/>'
    )
    assert len(read(lying).sheets[0].cells) == 50


def test_entities_macros_and_links_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"a": [["x"], [1]]})
    laughs = '<!DOCTYPE a [<!ENTITY b "c">]><worksheet'
    assert (
        rule(changed(path, "xl/worksheets/sheet1.xml", "<worksheet", laughs)) == "workbook_entities"
    )
    assert rule(
        changed(path, "xl/workbook.xml", "<workbook", '<!DOCTYPE a [<!ENTITY b "c">]><workbook')
    ) == ("workbook_damaged")
    for part in (
        "xl/vbaProject.bin",
        "xl/externalLinks/externalLink1.xml",
        "../x.xml",
        "inner.zip",
    ):
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(part, b"x")
        assert rule(path) == "workbook_active"
        path = workbook(tmp_path, {"a": [["x"], [1]]})


def test_a_zip_of_zeros_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "zeros.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(30 << 20))
    assert rule(path) == "workbook_bomb"


def test_another_zip_says_what_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.csv", "a\n1\n")
    assert rule(path) == "wrong_format"


def test_a_truncated_workbook_is_refused_at_any_length(tmp_path: Path) -> None:
    whole = workbook(tmp_path, {"a": [["x", "y"], *([i, "t"] for i in range(200))]}).read_bytes()
    for tenth in range(1, 10):
        part = write(tmp_path, whole[: len(whole) * tenth // 10])
        assert rule(part).startswith("workbook_")


def test_damaged_sheet_xml_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"a": [["x"], [1], [2]]})
    part = "xl/worksheets/sheet1.xml"
    assert rule(changed(path, part, "</sheetData>", "")) == "workbook_damaged"
    assert rule(changed(path, part, 'r="A2"', 'r="-2"')) == "workbook_damaged"
    assert rule(changed(path, part, 'r="A2"', 'r="A9999999"')) == "workbook_damaged"


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    assert rule(workbook(tmp_path, {"a": []})) == "empty_file"
    assert rule(workbook(tmp_path, {"a": [["x", "y"]]})) == "no_rows"
