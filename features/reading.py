"""Reading files [I/O]: bytes of any name to sheets of cells; the content decides, not the name.

csv (UTF-8, UTF-16, GB18030; comma, semicolon, tab), xlsx and parquet, each possibly gzipped.
A sheet keeps its cells as they stand; meaning is given by the mapping. Row 1 is the header.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.reading_csv import parse_csv
from features.sheet import Sheet, refuse
from tidu import digest

__all__ = ["MAX_BYTES", "Reading", "read"]

MAX_BYTES = 1 << 30
"""The largest file, decompressed."""

CONTAINERS = {
    b"\xd0\xcf\x11\xe0": "an old .xls or an encrypted workbook",
    b"%PDF": "a PDF",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
}


@dataclass(frozen=True)
class Reading:
    """What a file holds. ``content`` is the sha256 of its decompressed bytes."""

    file: str
    content: str
    sheets: tuple[Sheet, ...]


def read(path: Path) -> Reading:
    """Read a file; raises DataError where it cannot be read whole."""
    data = _decompressed(path)
    file = path.name
    sheets: tuple[Sheet, ...]
    if data[:4] == b"PAR1":
        sheets = (_parquet(data, file),)
    elif data[:2] == b"PK":
        from features.workbook import read_workbook

        sheets = read_workbook(data, file)
    else:
        _not_a_container(data, file)
        sheets = (_csv(data, file),)
    for sheet in sheets:
        if sheet.headers and not len(sheet.cells) and len(sheets) == 1:
            raise refuse(
                file,
                "no_rows",
                "The file must hold rows below its header, found the header only.",
                "Add the rows.",
                "文件只有表头,没有数据行",
            )
    return Reading(file, digest.of_bytes(data), sheets)


def _decompressed(path: Path) -> bytes:
    file = path.name
    try:
        with open(path, "rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise refuse(
            file,
            "unreadable",
            f"The file must be readable: {error.strerror}.",
            "Check the path and its permissions.",
            "无法打开文件",
        ) from None
    if data[:2] == b"\x1f\x8b":
        data = _gunzip(data, file)
    if len(data) > MAX_BYTES:
        raise refuse(
            file,
            "too_large",
            f"A file must not exceed {MAX_BYTES >> 20} MiB, decompressed.",
            "Split it by year or district.",
            f"文件解压后不得超过{MAX_BYTES >> 20} MiB,请按年度或区县拆分",
        )
    if not data.strip():
        raise refuse(
            file,
            "empty_file",
            "The file must hold a header and rows, found nothing.",
            "Export it again.",
            "文件为空",
        )
    return data


def _gunzip(data: bytes, file: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error):
        raise refuse(
            file,
            "broken_gzip",
            "The gzip file must be whole, found it truncated or damaged.",
            "Copy it again.",
            "压缩文件不完整或已损坏,请重新复制",
        ) from None


def _not_a_container(data: bytes, file: str) -> None:
    found = next((what for magic, what in CONTAINERS.items() if data.startswith(magic)), "")
    if data.lstrip()[:1] == b"<":
        found = "a web page or XML"
    if found:
        raise refuse(
            file,
            "wrong_format",
            f"The file must be csv, xlsx or parquet (possibly .gz), found {found}.",
            "Save it as an .xlsx workbook without a password, or as csv.",
            "文件格式应为csv、xlsx或parquet",
        )


def _csv(data: bytes, file: str) -> Sheet:
    table = parse_csv(data, file)
    return Sheet("", table.headers, table.cells, table.rows)


def _parquet(data: bytes, file: str) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(io.BytesIO(data))
        rows, width = source.metadata.num_rows, source.metadata.num_columns
        if rows * max(width, 1) > 400_000_000 or width > 2_000:
            raise refuse(
                file,
                "too_large",
                f"The file must stay below 400 M cells, found {rows} × {width}.",
                "Split it by year or district.",
                "数据量过大,请拆分",
            )
        table = source.read(use_pandas_metadata=False)
        cells = {i: _arrow_column(table.column(i)) for i in range(table.num_columns)}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise refuse(
            file,
            "broken_parquet",
            f"The Parquet file must be whole, found it damaged ({type(error).__name__}).",
            "Write it again.",
            "Parquet文件不完整或已损坏",
        ) from None
    headers = tuple(str(name).strip() for name in table.column_names)
    frame = pd.DataFrame(cells)
    return Sheet("", headers, frame, np.arange(2, len(frame) + 2), "parquet")


def _arrow_column(column: Any) -> pd.Series:
    """A column as text, float64, int64 without gaps, or datetime64; others become text."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pd.Series(column.cast(pa.float64(), safe=False).to_pandas())
    if pa.types.is_integer(kind) and not column.null_count:
        return pd.Series(column.to_pandas())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pd.Series(column.cast(pa.timestamp("ms"), safe=False).to_pandas())
    if pa.types.is_null(kind):
        return pd.Series([""] * len(column), dtype="str")
    return pd.Series(column.cast(pa.string()).to_pandas(), dtype="str").fillna("")
