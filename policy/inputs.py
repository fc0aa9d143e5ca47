"""From a panel to inputs: the one place of ``policy`` that computes with the panel's tables.

The batch fixes the fiscal year: ``revenue`` is that year's and nothing newer, ``revenue[-1]`` the
year before. Look-ups ask other tables (:mod:`policy.lookups`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.cube import Cube
from features.panel import Panel
from features.schema import register
from policy.calendar import day_numbers
from policy.law import Law
from policy.logic import MANUAL, MET, UNKNOWN, UNMET, Status
from policy.lookups import Asked, lookup
from policy.sizes import size_range
from policy.values import Floats, Inputs

__all__ = [
    "MADE",
    "few_of_panel",
    "findings_of",
    "names_of",
    "of_panel",
    "size_classes",
    "without_section",
]

MADE = frozenset({"size_low()", "size_high()", "trade()"})
"""Inputs that are worked out from several, not looked up."""

FINDINGS = {"met": MET, "unmet": UNMET, "unknown": UNKNOWN}


def names_of(law: Law) -> frozenset[str]:
    """Every input that some metric of the law reads."""
    used = {m for edition in law.editions.values() for m in edition.metrics}
    names = frozenset().union(*(law.metrics[m].inputs for m in (*law.metrics, *used)))
    return names - MADE


def of_panel(
    law: Law, panel: Panel, data_year: int, batch: str = "", names: Iterable[str] = ()
) -> Inputs:
    """Return the inputs of all firms of a panel for a fiscal year; ``names`` beyond the law's own.

    ``batch`` lets in findings of that batch; others count while they are valid.
    """
    found = few_of_panel(law, panel, data_year, names_of(law).union(names, ("audited",)))
    return replace(found, findings=findings_of(panel, batch))


def few_of_panel(law: Law, panel: Panel, data_year: int, names: Iterable[str]) -> Inputs:
    """The same of the inputs named alone, and without findings."""
    table = _Accounts(panel, data_year)
    ask = Asked(panel, data_year)
    columns: dict[str, Floats] = {}
    for name in sorted(frozenset(names) - MADE):
        columns[name] = lookup(ask, name) if "(" in name else table.column(name)
    columns["foreign"] = table.foreign()
    columns |= _made(law, panel, table, "industry_300" in columns)
    return Inputs(panel.firm_ids, panel.as_of, data_year, columns)


def size_classes(law: Law, panel: Panel, data_year: int) -> tuple[Floats, Floats]:
    """Return the least and greatest size class of each firm by its accounts of a fiscal year."""
    made = _made(law, panel, _Accounts(panel, data_year), coded=False)
    return made["size_low()"], made["size_high()"]


class _Accounts:
    """Columns of firm-years, firms and credit, aligned with the panel's firms."""

    def __init__(self, panel: Panel, data_year: int) -> None:
        self.panel = panel
        self.year = data_year
        self.cube = Cube(panel)
        self.n = len(panel.firm_ids)
        self._firms = pd.Index(panel.firm_ids)
        self._rows: dict[tuple[str, int], NDArray[np.int64]] = {}

    def _row_of(self, table: str, back: int) -> NDArray[np.int64]:
        """The row of each firm in a yearly table, −1 where there is none."""
        if (table, back) not in self._rows:
            frame = self.panel.tables[table]
            at = np.flatnonzero(frame["year"].to_numpy() == self.year - back)
            place = self._firms.get_indexer(frame["firm_id"].to_numpy(dtype=object)[at])
            rows = np.full(self.n, -1)
            rows[place[place >= 0]] = at[place >= 0]
            self._rows[table, back] = rows
        return self._rows[table, back]

    def column(self, name: str) -> Floats:
        base, _, rest = name.partition("[-")
        back = int(rest.rstrip("]") or 0)
        if base == "basis":
            return self._spread(self.cube.basis_of_rows, "annual", back)
        if base.startswith("credit."):
            values = _numbers("credit", base.removeprefix("credit."), self.panel.tables["credit"])
            return self._spread(values, "credit", back)
        if base in register().tables["annual"].columns:
            dated = register().tables["annual"].columns[base].dtype == "date"
            annual = self.panel.tables["annual"]
            values = _numbers("annual", base, annual) if dated else self.cube.of_rows(base)
            return self._spread(values, "annual", back)
        return _numbers("firms", base, self.panel.firms.reset_index())

    def _spread(self, values: Floats, table: str, back: int) -> Floats:
        rows = self._row_of(table, back)
        if not len(values):
            return np.full(self.n, np.nan)
        return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)

    def foreign(self) -> Floats:
        currency = self.panel.tables["annual"]["currency"].fillna("CNY")
        other = (~currency.isin(["CNY", "RMB", "人民币", ""])).to_numpy(dtype="float64")
        return np.asarray(np.nan_to_num(self._spread(np.asarray(other), "annual", 0)))


def _numbers(table: str, name: str, frame: pd.DataFrame) -> Floats:
    spec = register().tables[table].columns[name]
    values = frame[name]
    if spec.dtype == "date":
        return day_numbers(values.to_numpy(dtype="datetime64[D]"))
    if spec.dtype == "code":
        rank = {code: float(i) for i, code in enumerate(spec.codes)}
        codes, found = pd.factorize(values)
        return np.array([*(rank.get(code, np.nan) for code in found), np.nan])[codes]
    return values.to_numpy(dtype="float64")


def _made(law: Law, panel: Panel, table: _Accounts, coded: bool) -> dict[str, Floats]:
    """Trade group and size class of each firm; ``coded``: also the column of its industry."""
    trade, industry = _trades(law, panel)
    measures = {name: table.column(name) for name in ("employees", "revenue", "total_assets")}
    low, high = size_range(law, pd.DataFrame({"industry": industry, **measures}))
    made = {"trade()": _places(trade, law.trades), "size_low()": low, "size_high()": high}
    # Which line of the size classes a firm falls under: a change of its figures can move its class.
    made["size_industry()"] = _places(industry, law.sizes)
    if coded:  # as given, otherwise by the trade group
        made["industry_300"] = _places(industry, register().column("firms", "industry_300").codes)
    return made


def _places(names: NDArray[np.object_], order: Iterable[str]) -> Floats:
    places = {name: float(i) for i, name in enumerate(order)}
    return np.array([places.get(name, np.nan) for name in names])


def _trades(law: Law, panel: Panel) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The trade group and the industry of the size classes of each firm; None where unknown.

    The GB/T 4754 code says the group, otherwise an industry of the size classes that is one group
    alone. The industry is as given, otherwise that of the group.
    """
    owners = {code: trade for trade, own in law.trades.items() for code in own.gb4754}
    sizes = {name: own.size or None for name, own in law.trades.items()}
    of_size = [own.size for own in law.trades.values()]
    alone = {own.size: name for name, own in law.trades.items() if of_size.count(own.size) == 1}
    given = panel.firms["industry_300"].astype("object")
    code = panel.firms["industry_gb4754"].astype("object")
    trade = code.map({c: _owner(owners, c) for c in code.dropna().unique()}).astype("object")
    trade = trade.where(trade.notna(), given.map(alone))
    industry = given.where(given.notna(), trade.map(sizes))
    return trade.to_numpy(dtype=object), industry.to_numpy(dtype=object)


def without_section(code: str) -> str:
    """A GB/T 4754 code without the letter of its section.

    >>> without_section("C3921"), without_section("3921")
    ('3921', '3921')
    """
    return code.lstrip("ABCDEFGHIJKLMNOPQRSTU")


def _owner(owners: Mapping[str, str], code: str) -> str | None:
    """The owner of the longest beginning of a GB/T 4754 code."""
    plain = without_section(code)
    tries = [t[:n] for t in (code, plain) for n in range(len(t), 0, -1)]
    return next((owners[t] for t in tries if t in owners), None)


def findings_of(panel: Panel, batch: str) -> dict[str, Status]:
    """Attested findings by criterion; the newest of this batch, or of another while it is valid."""
    rows = panel.tables["attestations"]
    moment = pd.Timestamp(panel.as_of)
    valid = rows["valid_until"] >= moment
    lasting = rows["valid_until"].isna() & (rows["batch"].fillna("") == "")
    mine = (rows["batch"] == batch) & (rows["valid_until"].isna() | valid)
    kept = rows[(mine | valid | lasting).to_numpy(dtype=bool)].sort_values(
        ["firm_id", "criterion", "attested_on"], na_position="first", kind="stable"
    )
    kept = kept.drop_duplicates(["firm_id", "criterion"], keep="last")
    firms = pd.Index(panel.firm_ids)
    found: dict[str, Status] = {}
    for criterion, group in kept.groupby("criterion"):
        status = np.full(len(firms), MANUAL, dtype=np.int8)
        place = firms.get_indexer(group["firm_id"].to_numpy(dtype=object))
        code = group["finding"].map(FINDINGS).fillna(UNKNOWN).to_numpy(dtype=np.int8)
        status[place[place >= 0]] = code[place >= 0]
        found[str(criterion)] = status
    return found
