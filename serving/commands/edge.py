"""What all commands share at the edge: options, JSON, tables, progress bars, error answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from tidu.clock import parse_date
from tidu.errors import DataError, TiduError, UsageError

__all__ = [
    "DAY",
    "DAYS",
    "JSON",
    "LANGUAGE",
    "OUT_FILE",
    "OUT_FOLDER",
    "PURPOSE",
    "SEED",
    "bars",
    "defect",
    "emit",
    "failed",
    "note",
    "table",
    "warn",
    "warn_of_hindsight",
]

SHOWN_ISSUES = 50
YEARS = range(1900, 2200)

F = TypeVar("F", bound=Callable[..., Any])


class _Day(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._day(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)

    def _day(self, text: str) -> date:
        day = parse_date(text)
        if day.year not in YEARS:
            raise UsageError(
                f"A date must lie from {YEARS[0]} to {YEARS[-1]}, found {text}.", "Check the year."
            )
        return day


class _Days(click.ParamType[tuple[date, ...]]):
    name = "YYYY-MM-DD,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part for part in value.split(",") if part.strip()]
        if not parts:
            self.fail("At least one date must be named. Write 2019-06-30.", param, ctx)
        return tuple(DAY.convert(part, param, ctx) for part in parts)


class _OutFile(click.ParamType[Path]):
    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        file = Path(value)
        if file.is_dir():
            self.fail(f"A file must be named, found the folder {file}.", param, ctx)
        if not file.parent.is_dir():
            self.fail(f"The folder {file.parent} must exist. Make it first.", param, ctx)
        return file


DAY = _Day()
"""An ISO date on the command line."""

DAYS = _Days()
"""ISO dates, separated by commas."""

# Where results go is looked at before the work is done, not after.
OUT_FILE = _OutFile()
OUT_FOLDER = click.Path(file_okay=False, path_type=Path)

SEED = click.IntRange(0, 2**31 - 1)

LANGUAGE = click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
PURPOSE = click.option("--purpose", type=click.Choice(["new", "review"]), default="new")


def JSON(command: F) -> F:  # noqa: N802 - reads like the constant it is at its use
    """Add ``--json`` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON value on stdout.")(
        command
    )


def emit(result: Mapping[str, object], as_json: bool, text: str = "") -> None:
    """Print a result: the JSON value, or ``text`` for people."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, allow_nan=False, default=str))
    elif text:
        click.echo(text)


def note(text: str) -> None:
    """Words for people: stderr."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """A warning: stderr, marked."""
    click.echo(f"warning: {text}", err=True)


def warn_of_hindsight(bundle_id: str, trained: date, day: date) -> None:
    """Warn where a bundle scores a day before the one it was trained on."""
    if trained > day:
        warn(
            f"Bundle {bundle_id} was trained on {trained}, after {day}: it may have learned"
            " from what happened since."
        )


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    """A plain text table; numbers are shown to four digits."""
    cells = [[_shown(row.get(c)) for c in columns] for row in rows]
    width = [max(_width(x) for x in column) for column in zip(columns, *cells, strict=True)]

    def line(values: Sequence[str]) -> str:
        padded = (v + " " * (w - _width(v)) for v, w in zip(values, width, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join(line(row) for row in [list(columns), *cells])


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on stderr, one for each kind of work."""
    from tqdm import tqdm

    open_bars: dict[str, Any] = {}

    def progress(what: str, done: int, of: int) -> None:
        if what not in open_bars:
            open_bars[what] = tqdm(total=of, desc=what, file=sys.stderr, leave=True)
        bar = open_bars[what]
        bar.total = of
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        for bar in open_bars.values():
            bar.close()


def defect(error: Exception, trace: str) -> TiduError:
    """An error that nobody foresaw, as one of ours: no traceback is shown unless asked for."""
    said = " ".join(str(error).split())
    return TiduError(
        f"Tidu failed without saying why ({type(error).__name__}: {said}).",
        f"This is a defect: report it with what {trace}=1 shows. Nothing was left half-done.",
    )


def failed(error: TiduError, as_json: bool) -> int:
    """Answer an error once, in words on stderr or as JSON on stdout; returns the exit status."""
    if as_json:
        body = {"code": error.code, "message": error.message, "cure": error.cure, **error.details}
        click.echo(json.dumps({"error": body}, ensure_ascii=False, default=str))
    else:
        if isinstance(error, DataError):
            for issue in error.issues[:SHOWN_ISSUES]:
                note(str(issue))
            if len(error.issues) > SHOWN_ISSUES:
                note(f"… and {len(error.issues) - SHOWN_ISSUES} more; --json gives all of them.")
        note(f"error: {error}")
    return 2 if isinstance(error, UsageError) else 1


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    # Chinese characters take two columns of a terminal.
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)
