"""A column of cells to a column of one type: vectors first, single cells for the rest. Pure.

Each distinct text is parsed once, and faults are kept per reason with all their positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.cells import (
    BLANK,
    MONEY,
    CellError,
    from_serial,
    is_blank,
    parse_bool,
    parse_code,
    parse_date,
    parse_number,
    parse_set,
    refuse_excel_error,
)
from features.headers import Scale
from features.schema import Column, fold

__all__ = ["Fault", "Typed", "parse_column", "recode", "texts"]

LOST_DIGITS = 1e14
_GROUPED = r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?"


@dataclass(frozen=True)
class Fault:
    """Cells that cannot be read for one reason: where they stand and what they say."""

    positions: np.ndarray
    texts: np.ndarray
    error: CellError

    def moved(self, to: np.ndarray) -> Fault:
        """The same fault in a column of which these cells were a part at ``to``."""
        return Fault(to[self.positions], self.texts, self.error)


@dataclass(frozen=True)
class Typed:
    """The values of a column and what could not be read (unknown there)."""

    values: pd.Series
    faults: tuple[Fault, ...] = ()


def parse_column(cells: pd.Series, spec: Column, scale: Scale, *, serials: bool = False) -> Typed:
    """Parse ``cells`` as ``spec`` says; ``serials``: numbers in a date column are Excel days."""
    if spec.dtype in ("int", "float"):
        return _numbers(cells, spec, scale)
    if spec.dtype == "date":
        return _dates(cells, serials)
    if spec.dtype == "bool":
        return _by_text(texts(cells), _flag, "float64")
    if spec.dtype in ("code", "set") and spec.codes:
        spelled = spec.spellings()
        parse = parse_code if spec.dtype == "code" else parse_set
        return _by_text(texts(cells), lambda text: parse(text, spelled), "str")
    if spec.dtype == "set":
        return _by_text(texts(cells), lambda text: parse_set(text, {}), "str")
    return _texts(cells)


def texts(cells: pd.Series) -> pd.Series:
    """Write cells as text, as their author sees them: 3.0 is "3", a day is ISO, unknown is ""."""
    if cells.dtype == "str":
        return cells.fillna("")
    missing = cells.isna().to_numpy()
    if cells.dtype.kind == "M":
        written = cells.astype("datetime64[s]").astype("str").str.removesuffix(" 00:00:00")
    elif cells.dtype.kind == "i":
        written = cells.astype("str")
    else:
        codes, unique = pd.factorize(cells.astype(object), use_na_sentinel=True)
        shown = np.array([*(_text(value) for value in unique), ""], dtype=object)
        return pd.Series(shown[codes], index=cells.index, dtype="str")
    return written.mask(missing, "").astype("str")


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    if isinstance(value, pd.Timestamp):
        return str(value).removesuffix(" 00:00:00")
    return str(value)


def recode(cells: pd.Series, known: Mapping[str, str]) -> Typed:
    """Replace texts by the mapping's codes; a text that it does not list is a fault."""
    table = {fold(text): code for text, code in known.items()}

    def parse(text: str) -> str | None:
        code = table.get(fold(text))
        if code is not None or is_blank(text):
            return code
        raise CellError(
            "unlisted_code",
            "The value must be one that the mapping lists",
            "Add it to the values of this column in the mapping.",
            "该值未列入映射文件的对照表",
        )

    return _by_text(texts(cells), parse, "str")


def _by_text(text: pd.Series, parse: Callable[[str], object], dtype: str) -> Typed:
    codes, unique = pd.factorize(text)
    empty = np.nan if dtype == "float64" else None
    found = np.full(len(unique), empty, dtype=object)
    faults: dict[tuple[str, str, str], tuple[CellError, list[int]]] = {}
    for i, item in enumerate(unique):
        try:
            value = parse(str(item))
        except CellError as error:
            reason = (error.rule, error.message, error.cure)
            faults.setdefault(reason, (error.with_traceback(None), []))[1].append(i)
        else:
            found[i] = empty if value is None else value
    values = pd.Series(found[codes] if len(unique) else found[:0], index=text.index, dtype=dtype)
    return Typed(values, _located(codes, unique, faults))


def _located(
    codes: np.ndarray,
    unique: pd.Index,
    faults: Mapping[tuple[str, str, str], tuple[CellError, list[int]]],
) -> tuple[Fault, ...]:
    shown = np.asarray(unique, dtype=object)
    found = []
    for error, which in faults.values():
        bad = np.zeros(len(unique), dtype=bool)
        bad[which] = True
        at = np.flatnonzero(bad[codes])
        found.append(Fault(at, shown[codes[at]], error))
    return tuple(found)


def _flag(text: str) -> float | None:
    value = parse_bool(text)
    return None if value is None else float(value)


def _texts(cells: pd.Series) -> Typed:
    lost: tuple[Fault, ...] = ()
    values = texts(cells).str.strip()
    numeric = _as_floats(cells)
    if numeric is not None:
        at = np.flatnonzero(np.abs(np.nan_to_num(numeric, posinf=0, neginf=0)) >= LOST_DIGITS)
        error = CellError(
            "digits_lost",
            "A code of 15 or more digits must be stored as text: as a number it has lost its tail",
            "Export it again from the source with the column formatted as text.",
            "15位以上的代码以数字格式存储,末位已丢失,请以文本格式重新导出",
        )
        lost = (Fault(at, values.iloc[at].to_numpy(dtype=object), error),) if len(at) else ()
    blank = values.str.lower().isin(BLANK)
    marked = np.flatnonzero(values.str.startswith("#").to_numpy(dtype=bool))
    broken = _by_text(values.iloc[marked], _not_an_error, "str").faults
    faults = (*lost, *(f.moved(marked) for f in broken))
    unknown = blank.to_numpy(dtype=bool, copy=True)
    for fault in faults:
        unknown[fault.positions] = True
    return Typed(values.mask(unknown).astype("str"), faults)


def _not_an_error(text: str) -> str:
    refuse_excel_error(text)
    return text


def _as_floats(cells: pd.Series) -> np.ndarray | None:
    """Floats of a float or mixed column (other cells NaN); None for text."""
    if cells.dtype.kind == "f":
        return cells.to_numpy(dtype="float64")
    if cells.dtype == object:
        return np.array([c if isinstance(c, float) else np.nan for c in cells], dtype="float64")
    return None


def _numbers(cells: pd.Series, spec: Column, scale: Scale) -> Typed:
    if cells.dtype.kind in "iu":
        plain, left = cells.to_numpy(dtype="float64"), np.zeros(len(cells), dtype=bool)
    elif cells.dtype.kind == "f":
        plain = cells.to_numpy(dtype="float64", na_value=np.nan)
        left = np.isinf(plain)
    else:
        plain, left = _fast(cells)
    values = plain * scale.times / scale.by
    faults: list[Fault] = []
    if left.any():
        at = np.flatnonzero(left)
        slow = _by_text(texts(cells.iloc[at]), lambda text: _number(text, spec, scale), "float64")
        values[at] = slow.values.to_numpy()
        faults = [f.moved(at) for f in slow.faults]
    if spec.dtype == "int":
        faults.extend(_fractions(values, cells, spec))
    return Typed(pd.Series(values, index=cells.index), tuple(faults))


def _fast(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that need no thought, and a mask of the cells that do."""
    if cells.dtype == object:
        kinds = np.array([isinstance(c, int | float) and not isinstance(c, bool) for c in cells])
        plain = np.full(len(cells), np.nan)
        plain[kinds] = np.array([cells.iloc[i] for i in np.flatnonzero(kinds)], dtype="float64")
        empty = cells.isna().to_numpy() | (cells == "").to_numpy(dtype=bool)
        return plain, (~kinds & ~empty) | np.isinf(plain)
    if cells.dtype != "str":
        return np.full(len(cells), np.nan), cells.notna().to_numpy()
    plain = pd.to_numeric(cells, errors="coerce").to_numpy(dtype="float64", na_value=np.nan).copy()
    left = ~np.isfinite(plain)
    if left.any():
        left &= (cells.fillna("") != "").to_numpy(dtype=bool)
    if left.any():
        at = np.flatnonzero(left)
        grouped = at[cells.iloc[at].str.fullmatch(_GROUPED).to_numpy(dtype=bool)]
        plain[grouped] = pd.to_numeric(cells.iloc[grouped].str.replace(",", "")).to_numpy()
        left[grouped] = False
    plain[left] = np.nan
    return plain, left


def _number(text: str, spec: Column, scale: Scale) -> float | None:
    number = parse_number(text, spec.unit)
    if number is None:
        return None
    if number.form == "plain":
        return number.value * scale.times / scale.by
    if (number.form == "percent") != (spec.unit == "%"):
        raise CellError(
            "wrong_unit",
            f"The value must be in {spec.unit or 'the unit of its column'}",
            "Write it in the unit of the column.",
            f"单位不符,应为{spec.unit or '该列的单位'}",
        )
    return number.value / MONEY.get(spec.unit, 1.0) if number.form == "scaled" else number.value


def _fractions(values: np.ndarray, cells: pd.Series, spec: Column) -> list[Fault]:
    at = np.flatnonzero(np.isfinite(values) & (values != np.round(values)))
    if not len(at):
        return []
    shown = texts(cells.iloc[at]).to_numpy(dtype=object)
    error = CellError(
        "not_whole",
        f"{spec.en} must be a whole number",
        "Correct the value, or empty the cell if it is unknown.",
        f"{spec.zh}应为整数",
    )
    values[at] = np.nan
    return [Fault(at, shown, error)]


def _dates(cells: pd.Series, serials: bool) -> Typed:
    if cells.dtype.kind == "M":
        return Typed(cells.dt.normalize().astype("datetime64[s]"))
    if serials and cells.dtype.kind in "if":
        return _by_number(cells)
    if serials and cells.dtype == object:
        number = np.array([isinstance(c, float) and not math.isnan(c) for c in cells], dtype=bool)
        days, rest = _by_number(cells[number]), _dates(cells.mask(number), serials=False)
        at, other = np.flatnonzero(number), rest.values.copy()
        other.iloc[at] = days.values
        moved = tuple(f.moved(at) for f in days.faults)
        return Typed(other, (*rest.faults, *moved))
    text = texts(cells)
    iso = text.str.fullmatch(r"\d{4}-\d{2}-\d{2}").to_numpy(dtype=bool)
    values = pd.to_datetime(text.where(iso), format="%Y-%m-%d", errors="coerce")
    values = values.astype("datetime64[s]")
    odd = iso & (values.isna() | ~values.dt.year.between(1900, 2200)).to_numpy()
    left = np.flatnonzero(odd | (~iso & (text != "").to_numpy(dtype=bool)))
    if not len(left):
        return Typed(values)
    slow = _by_text(text.iloc[left], parse_date, "object")
    filled = values.to_numpy(dtype="datetime64[s]", copy=True)
    filled[left] = pd.to_datetime(slow.values).to_numpy(dtype="datetime64[s]")
    values = pd.Series(filled, index=values.index)
    faults = tuple(f.moved(left) for f in slow.faults)
    return Typed(values, faults)


def _by_number(cells: pd.Series) -> Typed:
    numbers = cells.astype("float64").map(lambda v: "" if math.isnan(v) else repr(v))
    found = _by_text(
        numbers.astype("str"), lambda text: from_serial(float(text)) if text else None, "object"
    )
    return Typed(pd.to_datetime(found.values).astype("datetime64[s]"), found.faults)
