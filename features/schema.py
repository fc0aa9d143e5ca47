"""The column register: every table and field Tidu knows, once.

The rows live in ``features/columns/<table>.toml``; checks, the data dictionary, the xlsx template,
screen labels and test strategies are all made from what this module loads.
Money is 万元, shares are percent, dates are ISO days.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from typing import Literal, get_args

from tidu.errors import DataError, NotFound

__all__ = [
    "FAMILIES",
    "SET_SEPARATOR",
    "Column",
    "Register",
    "Table",
    "fold",
    "parse_table",
    "register",
]

Dtype = Literal["text", "int", "float", "bool", "date", "code", "set"]

FAMILIES = ("promotion", "growth", "listing", "distress")
"""Task families; a column may enter the profile of a task only if it names the task's family."""

SET_SEPARATOR = ";"
"""A set is stored as its codes in the order of the register, joined by this sign."""


def fold(text: str) -> str:
    """Reduce a header or a code to what spellings share: width, case and spaces do not count.

    >>> fold("企业 ＩＤ（主）")
    '企业id(主)'
    """
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _need(holds: bool, message: str, cure: str) -> None:
    if not holds:
        raise DataError(message, cure=cure)


def _spelled_once(owners: Iterable[tuple[str, str]], where: str) -> dict[str, str]:
    """Map folded spellings to their owner; one spelling of two owners is an error."""
    found: dict[str, str] = {}
    for spelling, owner in owners:
        other = found.setdefault(fold(spelling), owner)
        _need(
            other == owner,
            f"In {where} a spelling must mean one thing, not {spelling!r} for {other} and {owner}.",
            "Drop it from one of the two.",
        )
    return found


@dataclass(frozen=True, slots=True)
class Column:
    """One field. ``low``/``high`` bound what is plausible; ``codes`` maps a code to its spellings.

    ``future`` marks dates that may lie ahead by nature (expires_on, review_due); every other date
    of a row is unknown to anyone who stands before it. ``note`` says in Chinese what the labels do
    not. In ``ordinal`` codes the order of the table is the rank: the first code is rank 0.
    """

    table: str
    name: str
    zh: str
    en: str
    dtype: Dtype
    unit: str = ""
    low: float | None = None
    high: float | None = None
    key: bool = False
    aliases: tuple[str, ...] = ()
    group: str = ""
    families: tuple[str, ...] = FAMILIES
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    ordinal: bool = False
    future: bool = False
    direction: int = 0
    extra: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        where = f"{self.table}.{self.name}"
        fix = f"Correct {where} where it is declared."
        _need(self.name.isidentifier(), f"A column name must be a word, found {where!r}.", fix)
        _need(bool(self.zh and self.en), f"{where} must have a zh and an en label.", fix)
        kinds = get_args(Dtype)
        _need(
            self.dtype in kinds, f"{where}: type must be one of {kinds}, not {self.dtype!r}.", fix
        )
        unknown = [f for f in self.families if f not in FAMILIES]
        _need(not unknown, f"{where}: families are {FAMILIES}, found {unknown}.", fix)
        _need(self.direction in (-1, 0, 1), f"{where}: direction must be -1, 0 or 1.", fix)
        bounded = self.low is not None or self.high is not None
        _need(
            not bounded or self.dtype in ("int", "float"),
            f"{where}: only numbers have bounds.",
            fix,
        )
        ordered = self.low is None or self.high is None or self.low <= self.high
        _need(ordered, f"{where}: low must not exceed high, found {self.low} > {self.high}.", fix)
        coded = self.dtype in ("code", "set")
        _need(coded or not self.codes, f"{where}: only types code and set have codes.", fix)
        _need(self.dtype != "code" or bool(self.codes), f"{where}: type code must list codes.", fix)
        _need(not self.ordinal or self.dtype == "code", f"{where}: only codes are ordinal.", fix)
        _need(not self.future or self.dtype == "date", f"{where}: only dates lie ahead.", fix)
        _need(not (self.key and self.dtype == "set"), f"{where}: a set cannot be a key.", fix)
        self.spellings()

    @property
    def numeric(self) -> bool:
        """Whether the profile can compute with it: numbers, booleans and ordered codes."""
        return self.dtype in ("int", "float", "bool") or (self.dtype == "code" and self.ordinal)

    @property
    def nullable(self) -> bool:
        """Whether a cell may be empty, which means unknown."""
        return not self.key

    @property
    def header(self) -> str:
        """The column title people read and fill in: ``营业收入(万元)``."""
        return f"{self.zh}({self.unit})" if self.unit else self.zh

    @property
    def ranks(self) -> dict[str, int]:
        """The rank of each ordinal code, from 0."""
        return {code: i for i, code in enumerate(self.codes)} if self.ordinal else {}

    def spellings(self) -> dict[str, str]:
        """Return ``{folded spelling: code}``; the code itself is one of its spellings."""
        pairs = ((s, code) for code, known in self.codes.items() for s in (code, *known))
        return _spelled_once(pairs, f"the codes of {self.table}.{self.name}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its key columns, which come first, identify a row; the others describe it."""

    name: str
    zh: str
    en: str
    columns: Mapping[str, Column] = field(hash=False)

    def __post_init__(self) -> None:
        fix = f"Correct the declaration of table {self.name}."
        _need(bool(self.zh and self.en), f"Table {self.name} must have a zh and an en label.", fix)
        keys = [c.key for c in self.columns.values()]
        _need(any(keys), f"Table {self.name} must have a key column.", fix)
        _need(keys == sorted(keys, reverse=True), f"Keys of {self.name} must come first.", fix)
        self.headers()

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns.values() if c.key)

    def headers(self) -> dict[str, str]:
        """Return ``{folded header: column}`` over names, zh labels and aliases."""
        pairs = ((h, c.name) for c in self.columns.values() for h in (c.name, c.zh, *c.aliases))
        return _spelled_once(pairs, f"the headers of table {self.name}")


@dataclass(frozen=True, slots=True)
class Register:
    """All tables."""

    tables: Mapping[str, Table] = field(hash=False)

    def column(self, table: str, name: str) -> Column:
        try:
            return self.tables[table].columns[name]
        except KeyError:
            raise NotFound(f"No column {table}.{name} in the register.") from None


_WRITABLE = {f.name for f in fields(Column)} - {"table", "name", "dtype", "extra"} | {"type"}


def _column(table: str, name: str, raw: object) -> Column:
    where = f"{table}.{name}"
    if not isinstance(raw, Mapping):
        raise DataError(f"{where} must be a table of fields.", cure="Write it as { zh = … }.")
    for needed in ("zh", "en", "type"):
        _need(needed in raw, f"{where} must have the field {needed!r}.", "Add it.")
    unknown = sorted(set(raw) - _WRITABLE)
    _need(not unknown, f"{where} has unknown fields {unknown}.", f"Known: {sorted(_WRITABLE)}.")
    spec = dict(raw)
    spec["dtype"] = spec.pop("type")
    for listed in ("aliases", "families"):
        if listed in spec:
            spec[listed] = tuple(spec[listed])
    spec["codes"] = {code: tuple(known) for code, known in spec.get("codes", {}).items()}
    return Column(table=table, name=name, **spec)


def parse_table(name: str, text: str) -> Table:
    """Read one table of the register from its TOML text.

    Long code lists may stand apart as ``[codes.<column>]``.
    """
    raw = tomllib.loads(text)
    meta = raw.pop("table", None)
    if not isinstance(meta, Mapping) or not {"zh", "en"} <= set(meta):
        raise DataError(
            f"{name}.toml must begin with its labels.", cure='Write table = { zh = "…", en = "…" }.'
        )
    codes = raw.pop("codes", {})
    astray = sorted(set(codes) - set(raw))
    _need(not astray, f"[codes.*] of {name}.toml name no column: {astray}.", "Correct the name.")
    for column, known in codes.items():
        raw[column] = {**raw[column], "codes": known}
    columns = {column: _column(name, column, spec) for column, spec in raw.items()}
    return Table(name, str(meta["zh"]), str(meta["en"]), columns)


@cache
def register() -> Register:
    """Load the register that ships with the package."""
    folder = resources.files("features") / "columns"
    tables = {}
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            name = path.name.removesuffix(".toml")
            tables[name] = parse_table(name, path.read_text(encoding="utf-8"))
    return Register(tables)
