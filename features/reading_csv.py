"""Parsing csv: encoding, delimiter, rows of one length. Pure: bytes in, text cells out."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tidu.errors import DataError, Issue

__all__ = ["Table", "decode", "parse_csv"]

MAX_COLUMNS = 2_000
_CONTROL = set(range(32)) - {9, 10, 13, 26} | {127}


@dataclass(frozen=True)
class Table:
    """Text cells under ``headers``; ``rows`` are the numbers as a spreadsheet shows them."""

    headers: tuple[str, ...]
    cells: pd.DataFrame
    rows: np.ndarray


def decode(data: bytes) -> str | None:
    """Decode UTF-8, UTF-16 or GB18030 text; None where the bytes are no text.

    >>> decode("企业".encode("gb18030")), decode("企业".encode("utf-16"))
    ('企业', '企业')
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in data[:4096]:
        little = data[1:4096:2].count(0) >= data[0:4096:2].count(0)
        encodings = ["utf-16-le" if little else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        head = text[:65_536]
        strange = sum(1 for c in head if ord(c) in _CONTROL or "\ue000" <= c <= "\uf8ff")
        if "\0" in text or strange * 100 > len(head):
            return None
        return text.rstrip("\x1a")
    return None


def parse_csv(data: bytes, file: str) -> Table:
    """Parse ``data``; every row of a wrong length is reported at once."""
    text = decode(data)
    if text is None:
        raise _whole(
            file,
            "not_text",
            "The file must be csv, xlsx or parquet (possibly .gz), found neither these nor text"
            " in UTF-8, UTF-16 or GB18030.",
            "Save it as an .xlsx workbook, or as csv in UTF-8.",
            "无法识别的文件:应为csv(UTF-8、UTF-16或GB18030编码)、xlsx或parquet",
        )
    first = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
    delimiter = _delimiter(first)
    try:
        headers = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise _whole(
            file,
            "broken_csv",
            f"The csv must be well formed: {error}.",
            "Export it again.",
            "csv文件格式有误",
        ) from None
    if not any(h.strip() for h in headers):
        raise _whole(
            file,
            "no_header",
            "The first row must hold the names of the columns, found it empty.",
            "Delete empty rows above the header.",
            "第一行应为表头,现为空行",
        )
    if len(headers) > MAX_COLUMNS:
        raise _whole(
            file,
            "too_wide",
            f"A file must not exceed {MAX_COLUMNS} columns, found {len(headers)}.",
            "Remove empty columns.",
            f"列数不得超过{MAX_COLUMNS}",
        )
    return _rows(text, delimiter, tuple(h.strip() for h in headers), file)


def _delimiter(line: str) -> str:
    """The delimiter of the header: the one that divides it most, quoted parts aside."""
    outside = "".join(part for i, part in enumerate(line.split('"')) if i % 2 == 0)
    return max(",;\t", key=lambda d: (outside.count(d), d == ","))


def _rows(text: str, delimiter: str, headers: tuple[str, ...], file: str) -> Table:
    import pyarrow as pa
    from pyarrow import csv as arrow

    width = len(headers)
    bad: list[tuple[int, int, bool]] = []

    def ragged(row: object) -> str:
        bad.append((row.number, row.actual_columns, not row.text.strip()))  # type: ignore[attr-defined]
        return "skip"

    raw = text.encode()
    names = [f"f{i}" for i in range(width)]
    try:
        table = arrow.read_csv(
            io.BytesIO(raw),
            read_options=arrow.ReadOptions(
                use_threads=False,
                column_names=names,
                block_size=max(1 << 20, min(len(raw), 1 << 30)),  # one row fits in a block
            ),
            parse_options=arrow.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=ragged,
            ),
            convert_options=arrow.ConvertOptions(
                strings_can_be_null=False, column_types=dict.fromkeys(names, pa.string())
            ),
        )
    except pa.ArrowException as error:
        raise _whole(
            file,
            "broken_csv",
            f"The csv must be well formed: {str(error)[:160]}.",
            "Export it again; a cell that holds quotes or line breaks must be quoted.",
            "csv文件格式有误,请重新导出",
        ) from None
    issues = [_ragged(file, number, width, found) for number, found, empty in bad if not empty]
    if issues:
        raise DataError(
            f"{file}: {len(issues)} row(s) do not have the {width} columns of the header.",
            issues,
            "Export the file again; a cell that holds the delimiter must be quoted.",
        )
    numbers = np.setdiff1d(np.arange(1, table.num_rows + len(bad) + 1), [b[0] for b in bad])
    cells = pd.DataFrame(
        {i: pd.Series(table.column(i).to_pandas(), dtype="str") for i in range(width)}
    )
    return Table(headers, cells.iloc[1:].reset_index(drop=True), numbers[1:])


def _ragged(file: str, row: int, width: int, found: int) -> Issue:
    return Issue(
        "error",
        "ragged_row",
        f"A row must have the {width} columns of the header, found {found}",
        "Quote cells that hold the delimiter or line breaks, and fill up short rows.",
        file=file,
        row=row,
        zh=f"该行有{found}列,表头有{width}列",
    )


def _whole(file: str, rule: str, message: str, cure: str, zh: str) -> DataError:
    return DataError(
        f"{file}: {message}", [Issue("error", rule, message, cure, file=file, zh=zh)], cure
    )
