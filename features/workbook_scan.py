"""Scanning the XML of a workbook before anything parses it: size, cells, errors of formulas.

A sheet of 1.4 KB can claim 17 billion cells, and a reader can lose rows in silence; the scan counts
what is there, refuses what is too large and gives the parser's result something to agree with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

__all__ = ["MAX_CELLS", "MAX_COLUMNS", "MAX_UNPACKED", "Scan", "Suspicious", "scan_sheet"]

MAX_CELLS = 20_000_000
MAX_COLUMNS = 512
MAX_UNPACKED = 1 << 30
UNCOMPUTED = "#UNCALCULATED!"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COLUMNS: dict[str, int] = {}  # at most 18 278 names: letters are bounded below


class Suspicious(ValueError):
    """A workbook that is refused: rule, message, cure, zh."""

    def __init__(self, rule: str, message: str, cure: str, zh: str) -> None:
        super().__init__(message)
        self.rule, self.message, self.cure, self.zh = rule, message, cure, zh


@dataclass
class Scan:
    """What a sheet holds: the box of its filled cells, counts, cells with an error."""

    rows: int = 0
    columns: int = 0
    numbers: int = 0
    texts: int = 0
    errors: list[tuple[int, int, str]] = field(default_factory=list)


def scan_sheet(stream: IO[bytes]) -> Scan:
    """Stream the XML of a sheet; raises Suspicious where it is too large or no plain sheet."""
    scan = Scan()
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.buffer_text = True
    counter = _Counter(scan, parser)
    parser.StartElementHandler = counter.start
    parser.StartDoctypeDeclHandler = _no_doctype
    size = 0
    try:
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if size > MAX_UNPACKED:
                raise _too_large(scan)
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
        counter.close()
    except expat.ExpatError as error:
        raise Suspicious(
            "workbook_damaged",
            f"The sheets of a workbook must be whole, found: {error}.",
            "Open it in a spreadsheet program and save it again.",
            "工作簿已损坏,请重新保存",
        ) from None
    return scan


def _no_doctype(*_: object) -> None:
    raise Suspicious(
        "workbook_entities",
        "A workbook must not declare XML entities.",
        "Save it again as a plain .xlsx workbook.",
        "工作簿含有XML实体声明,已拒绝",
    )


def _too_large(scan: Scan) -> Suspicious:
    return Suspicious(
        "workbook_too_large",
        f"A sheet must stay within {MAX_CELLS:,} cells and {MAX_COLUMNS} columns from its first"
        f" to its last filled cell, found {scan.rows} rows × {scan.columns} columns.",
        "Delete stray cells far from the table, or save it as csv.",
        f"工作表范围过大({scan.rows}行×{scan.columns}列),请删除表格以外的零散单元格",
    )


class _Counter:
    """Counts the cells of a sheet from the starts of its elements.

    A cell is closed by the start of the next: handlers for ends and for text would be called some
    millions of times, so text is listened to only within a cell of kind "e" (an error).
    """

    def __init__(self, scan: Scan, parser: expat.XMLParserType) -> None:
        self.scan, self.parser = scan, parser
        self.row = self.column = 0
        self.kind, self.filled, self.formula = "", False, False
        self.text: list[str] = []

    def start(self, name: str, attributes: list[str]) -> None:
        tag = name.rpartition(":")[2] if ":" in name else name
        if tag == "c":
            if self.filled or self.formula:
                self.close()
            self.kind = ""
            self.column += 1
            for i in range(0, len(attributes), 2):
                key = attributes[i]
                if key == "r":
                    self.row, self.column = _position(attributes[i + 1])
                elif key == "t":
                    self.kind = attributes[i + 1]
        elif tag in ("v", "t"):
            self.filled = True
            if self.kind == "e":
                self.parser.CharacterDataHandler = self.text.append
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            self.close()
            found = [v for k, v in zip(attributes[::2], attributes[1::2], strict=True) if k == "r"]
            given = found and found[0].isdigit()
            self.row, self.column = (int(found[0][:8]) if given else self.row + 1), 0
        elif tag in ("mergeCells", "sheetData"):
            self.close()

    def close(self) -> None:
        """Count the cell that was open, if it holds anything."""
        if not (self.filled or self.formula):
            return
        scan = self.scan
        if self.row > scan.rows or self.column > scan.columns:
            scan.rows, scan.columns = max(scan.rows, self.row), max(scan.columns, self.column)
            if scan.columns > MAX_COLUMNS or scan.rows * scan.columns > MAX_CELLS:
                raise _too_large(scan)
        if self.kind == "e" or not self.filled:
            shown = "".join(self.text).strip() if self.filled else UNCOMPUTED
            scan.errors.append((self.row, self.column, shown))
            self.text.clear()
            self.parser.CharacterDataHandler = None
        elif self.kind in ("s", "str", "inlineStr"):
            scan.texts += 1
        else:
            scan.numbers += 1
        self.filled = self.formula = False


def _position(reference: str) -> tuple[int, int]:
    """Read a cell reference.

    >>> _position("AB12")
    (12, 28)
    """
    rest = reference.lstrip(_LETTERS)
    letters = reference[: len(reference) - len(rest)]
    column = _COLUMNS.get(letters, 0)
    if not column and len(letters) <= 3:
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        _COLUMNS[letters] = column
    if not column or not rest.isdigit() or not 1 <= int(rest[:8]) <= 1_048_576:
        raise Suspicious(
            "workbook_damaged",
            f"A cell of a workbook must have a reference like B2, found {reference[:20]!r}.",
            "Open it in a spreadsheet program and save it again.",
            "工作簿已损坏,请重新保存",
        )
    return int(rest), column
