"""Reading xlsx [I/O]: scan the XML, parse in a limited child process, compare what both saw."""

from __future__ import annotations

import io
import json
import posixpath
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import pandas as pd

from features import workbook_child
from features.sheet import Sheet, refuse
from features.workbook_scan import MAX_UNPACKED, Scan, Suspicious, scan_sheet

__all__ = ["read_workbook"]

WALL_SECONDS = 180
MAX_ENTRIES = 2_000
MAX_RATIO = 200
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_workbook(data: bytes, file: str) -> tuple[Sheet, ...]:
    """Read every sheet with cells; raises DataError where the workbook is refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive)
            scans = {name: _scan(archive, part) for name, part in _parts(archive).items()}
        filled = {name: scan for name, scan in scans.items() if scan.rows}
        if not filled:
            raise Suspicious(
                "empty_file",
                "A workbook must hold a header and rows, found no cells.",
                "Export it again.",
                "工作簿为空",
            )
        parsed = _parse(data, list(filled))
        return tuple(_sheet(name, scan, parsed.get(name)) for name, scan in filled.items())
    except Suspicious as reason:
        raise refuse(file, reason.rule, reason.message, reason.cure, reason.zh) from None
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, EOFError) as error:
        raise refuse(
            file,
            "workbook_damaged",
            f"A workbook must be a whole .xlsx file, found: {error}.",
            "Open it in a spreadsheet program and save it again as .xlsx.",
            "工作簿已损坏或不是xlsx,请重新另存为xlsx",
        ) from None


def _check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse bombs, macros, links to elsewhere, nested archives and passwords."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    again = "Save it again as a plain .xlsx workbook, values only."
    if len(entries) > MAX_ENTRIES or len(set(names)) != len(names):
        raise Suspicious(
            "workbook_entries",
            f"A workbook must have at most {MAX_ENTRIES} parts, each once, found {len(entries)}.",
            again,
            "工作簿内部文件过多或重复",
        )
    if unpacked > MAX_UNPACKED or (unpacked > 10 << 20 and unpacked > MAX_RATIO * max(packed, 1)):
        raise Suspicious(
            "workbook_bomb",
            f"A workbook must unpack to at most {MAX_UNPACKED >> 20} MiB and {MAX_RATIO} times its"
            f" size, found {unpacked} of {packed} bytes.",
            "Remove empty formatted rows, or save it as csv.",
            "工作簿解压后过大,已拒绝",
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise Suspicious(
            "workbook_password",
            "A workbook must not be encrypted.",
            "Remove the password.",
            "工作簿已加密,请取消密码",
        )
    found = [n for n in names if _foreign(n)]
    if found:
        raise Suspicious(
            "workbook_active",
            f"A workbook must hold no macros, links to other files or archives, found {found[0]}.",
            again,
            "工作簿含有宏、外部链接或嵌套压缩包,请另存为普通xlsx",
        )


def _foreign(name: str) -> bool:
    low = name.lower()
    return (
        "vbaproject" in low
        or "externallinks/" in low
        or ".." in low.split("/")
        or low.startswith("/")
        or low.endswith((".zip", ".gz", ".7z", ".rar"))
    )


def _scan(archive: zipfile.ZipFile, part: str) -> Scan:
    with archive.open(part) as stream:
        return scan_sheet(stream)


def _xml(archive: zipfile.ZipFile, part: str) -> Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(archive.read(part), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Suspicious(
            "workbook_damaged",
            f"The parts of a workbook must be plain XML, found {type(error).__name__} in {part}.",
            "Open it in a spreadsheet program and save it again.",
            "工作簿已损坏,请重新保存",
        ) from None
    return root


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The XML part of each worksheet, by the name of the sheet, in their order."""
    if "xl/workbook.xml" not in archive.namelist():
        binary = "xl/workbook.bin" in archive.namelist()
        raise Suspicious(
            "wrong_format",
            f"A zip file must be an .xlsx workbook, found {'an .xlsb' if binary else 'another'}.",
            "Save it as .xlsx, or unpack the archive and import the file inside.",
            "不是xlsx工作簿,请另存为xlsx或先解压",
        )
    relations = _xml(archive, "xl/_rels/workbook.xml.rels")
    targets = {r.get("Id"): r.get("Target", "") for r in relations.iter() if r.get("Id")}
    kinds = {r.get("Id"): r.get("Type", "") for r in relations.iter() if r.get("Id")}
    parts = {}
    for element in _xml(archive, "xl/workbook.xml").iter():
        if element.tag.rpartition("}")[2] != "sheet":
            continue
        relation = element.get(_RELATION) or next(
            (v for k, v in element.attrib.items() if k.endswith("}id")), None
        )
        if kinds.get(relation, "").endswith("/worksheet"):
            target = targets[relation]
            inside = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            parts[element.get("name", "")] = posixpath.normpath(inside)
    return parts


def _parse(data: bytes, names: list[str]) -> dict[str, list[list[object]]]:
    """Parse in a child: -P keeps our folder off its path, the limits are set by itself."""
    command = [sys.executable, "-P", str(Path(workbook_child.__file__)), json.dumps(names)]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=WALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _unparsed("it took too long") from None
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise _unparsed(last[0][:200] if last else f"the parser ended with {done.returncode}")
    found = (json.loads(line) for line in done.stdout.splitlines())
    return {sheet["name"]: sheet["columns"] for sheet in found}


def _unparsed(reason: str) -> Suspicious:
    return Suspicious(
        "workbook_unparsed",
        f"A workbook must be readable within the limits of memory and time: {reason}.",
        "Open it in a spreadsheet program and save it again, or save it as csv.",
        "工作簿无法在限定的内存和时间内读取,请重新保存或另存为csv",
    )


def _sheet(name: str, scan: Scan, columns: list[list[object]] | None) -> Sheet:
    kinds = ["".join(str(c[0])) for c in columns or []]
    numbers = sum(len(k) - k.count("e") - k.count("s") for k in kinds)
    texts = sum(k.count("s") for k in kinds)
    height = len(kinds[0]) if kinds else 0
    last = max((row for row, _, _ in scan.errors), default=0)
    # Times of day come as text; an empty shared string comes as nothing.
    if numbers + texts < scan.numbers or numbers > scan.numbers or max(height, last) < scan.rows:
        raise Suspicious(
            "workbook_incomplete",
            f"All cells of sheet {name!r} must be read: its XML holds {scan.rows} rows with"
            f" {scan.numbers} numbers, the parser gave {height} rows with {numbers}.",
            "Open it in a spreadsheet program and save it again, or save it as csv.",
            f"工作表“{name}”未能完整读取,请重新保存",
        )
    width, height = max(scan.columns, len(kinds)), max(scan.rows, height)
    cells = [
        _values(columns[i] if columns and i < len(kinds) else None, height) for i in range(width)
    ]
    for row, column, text in scan.errors:
        cells[column - 1][row - 1] = text
    headers = tuple(_header(column[0]) for column in cells)
    frame = pd.DataFrame({i: _series(column[1:]) for i, column in enumerate(cells)})
    return Sheet(name, headers, frame, np.arange(2, height + 1), "xlsx")


def _values(column: list[object] | None, height: int) -> list[object]:
    if column is None:
        return [None] * height
    kinds, values = column
    assert isinstance(kinds, str)
    assert isinstance(values, list)
    read = list(values)
    if "d" in kinds:
        for i, kind in enumerate(kinds):
            if kind == "d":
                read[i] = pd.Timestamp(values[i])
    return read + [None] * (height - len(read))


def _header(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _series(values: list[object]) -> pd.Series:
    """One column: float64, text or days where it is of one kind, else as the cells are."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {float}:
        return pd.Series([np.nan if v is None else v for v in values], dtype="float64")
    if kinds == {str}:
        return pd.Series(values, dtype="str").fillna("")
    if kinds == {pd.Timestamp}:
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object)))
    return pd.Series(values, dtype=object)
