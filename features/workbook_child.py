"""Parse one workbook in a process of its own, with limits on memory and time.

Run as a program: a workbook on stdin, its sheets as JSON on stdout. Started by
``features.workbook`` as a file, so that it imports nothing of ours.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import resource
import sys

__all__ = ["MAX_CPU_SECONDS", "MAX_MEMORY", "main"]

MAX_MEMORY = 3 << 30
MAX_CPU_SECONDS = 120

Cell = str | float | bool | None


def encode(value: object) -> tuple[str, Cell]:
    """Give a cell its kind (e, s, n, b, d) and a value that JSON can hold."""
    if value == "" or value is None:
        return "e", None
    if isinstance(value, str):
        return "s", value
    if isinstance(value, bool):
        return "b", value
    if isinstance(value, int | float):
        return "n", float(value)
    if isinstance(value, dt.datetime | dt.date):
        return "d", value.isoformat()
    return "s", str(value)


def main() -> None:
    """Read stdin, write stdout; the limits end the process, not its parent."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    from python_calamine import CalamineWorkbook

    wanted = set(json.loads(sys.argv[1]))
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for name in book.sheet_names:
        if name not in wanted:
            continue
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        columns = []
        for cells in zip(*rows, strict=True):
            if set(map(type, cells[1:])) == {float}:  # most columns of a large sheet
                kind, header = encode(cells[0])
                columns.append([kind + "n" * (len(cells) - 1), [header, *cells[1:]]])
                continue
            pairs = [encode(value) for value in cells]
            columns.append(["".join(k for k, _ in pairs), [v for _, v in pairs]])
        json.dump({"name": name, "columns": columns}, sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
