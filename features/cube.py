"""Firm × calendar year, dense: the natural form of lags.

A lag is a slice, and a missing calendar year stays missing: nothing is ever shifted by row.
:class:`Cube` holds the annual table of a panel; :class:`Window` looks at it from each firm's newest
known year, :class:`EveryYear` and :class:`FirmYears` from all years at once: the first with the
gaps, the second without. All answer :class:`features.expr.Numbers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from features.expr import Array, Expr
from features.panel import Panel
from features.schema import Column
from tidu.errors import NotFound

__all__ = ["Cube", "EveryYear", "FirmYears", "Window"]


class Cube:
    """The accounts of all firms; ``firm_ids`` sorted, columns made dense when first asked for.

    ``firm_codes`` numbers the firm of each row of ``annual``, ``cell`` is where the row stands.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.annual = panel.tables["annual"]
        self.firm_codes, self.firm_ids = _numbered(self.annual["firm_id"])
        years = self.annual["year"].to_numpy(dtype="int64")
        self.first_year = int(years.min()) if len(years) else 0
        self.n_years = int(years.max()) - self.first_year + 1 if len(years) else 0
        self.cell = (years - self.first_year) * len(self.firm_ids) + self.firm_codes
        self._of_rows: dict[str, Array] = {}
        self._dense: dict[str, Array] = {}

    def column(self, name: str) -> Array:
        """Values as (years, firms), NaN where unknown; a column the data lacks is all unknown."""
        if name not in self._dense:
            self._dense[name] = self._scatter(self.of_rows(name))
        return self._dense[name]

    def of_rows(self, name: str) -> Array:
        """The column as numbers, a value per row of ``annual``."""
        if name not in self._of_rows:
            self._of_rows[name] = _numeric(self.panel.column(name), self.annual)
        return self._of_rows[name]

    def has(self, name: str) -> bool:
        """Whether the data holds any value of the column."""
        return name in self.annual and bool(self.annual[name].notna().any())

    def lacks(self, names: frozenset[str]) -> bool:
        """Whether none of the columns holds a value (false where no column is named)."""
        return bool(names) and not any(self.has(name) for name in names)

    def _scatter(self, values: Array) -> Array:
        dense = np.full(self.n_years * len(self.firm_ids), np.nan)
        dense[self.cell] = values
        return dense.reshape(self.n_years, len(self.firm_ids))

    @cached_property
    def basis(self) -> Array:
        """A number per firm-year that differs where basis or currency differ; NaN = no accounts."""
        return self._scatter(self.basis_of_rows)

    @cached_property
    def basis_of_rows(self) -> Array:
        """The same, a number per row of ``annual``."""
        basis, currency = (
            pd.factorize(self.annual[c].fillna(""))[0] for c in ("reporting_basis", "currency")
        )
        return np.asarray(basis * (currency.max(initial=0) + 1.0) + currency)

    def rows_before(self, years: int) -> Array:
        """The row of the same firm ``years`` before, per row of ``annual``; −1 where none is."""
        row_at = np.full(self.n_years * len(self.firm_ids), -1)
        row_at[self.cell] = np.arange(len(self.cell))
        cell = self.cell - years * len(self.firm_ids)
        return np.where(cell >= 0, row_at[np.maximum(cell, 0)], -1)

    @cached_property
    def basis_text(self) -> Array:
        """The same as text, comparable between panels; "" = no accounts."""
        dense = np.full(self.n_years * len(self.firm_ids), "", dtype=object)
        dense[self.cell] = self._basis_of_rows.to_numpy(dtype=object)
        return dense.reshape(self.n_years, len(self.firm_ids))

    @property
    def _basis_of_rows(self) -> pd.Series:
        basis, currency = (self.annual[c].fillna("") for c in ("reporting_basis", "currency"))
        return basis + "|" + currency

    @cached_property
    def present(self) -> Array:
        """Whether accounts of a firm-year are known: bool (years, firms)."""
        return np.asarray(~np.isnan(self._scatter(np.zeros(len(self.annual)))))

    @cached_property
    def newest_year(self) -> Array:
        """The newest known year of each firm."""
        if not self.n_years:
            return np.zeros(0, dtype="int64")
        last = self.n_years - 1 - np.argmax(self.present[::-1], axis=0)
        return np.asarray(self.first_year + last, dtype="int64")


class _View:
    """What all views share: facts and peers of the rows they show."""

    complete = False

    def __init__(self, cube: Cube, facts: Mapping[str, Array] | None = None) -> None:
        self.cube = cube
        self.facts = facts or {}

    def fact(self, name: str) -> Array:
        try:
            return self.facts[name]
        except KeyError:
            raise NotFound(f"No fact {name!r} about a firm.", "See features/facts.py.") from None

    def position(self, of: Expr, values: Array) -> Array:
        """Positions need a reference: :mod:`features.profile` wraps a view with one."""
        del of, values
        raise NotFound("A position among peers needs a fitted peer reference.")

    def _back(self, dense: Array, years: int) -> Array:
        raise NotImplementedError

    def earlier(self, values: Array, years: int) -> Array:
        """Of values a row, those of the rows ``years`` before; see :class:`EveryYear`."""
        raise NotImplementedError

    def lag(self, column: str, years: int) -> Array:
        return self._back(self.cube.column(column), years)

    def comparable(self, shift: int, years: int) -> Array:
        now, then = self._back(self.cube.basis, shift), self._back(self.cube.basis, shift + years)
        return np.where(now == then, 1.0, np.nan)


class Window(_View):
    """Each firm seen from an anchor year, by default its newest: one row a firm."""

    def __init__(
        self,
        cube: Cube,
        facts: Mapping[str, Array] | None = None,
        anchor: Array | None = None,
    ) -> None:
        super().__init__(cube, facts)
        self.anchor = cube.newest_year if anchor is None else anchor
        self._index = self.anchor - cube.first_year
        same = len(self._index) and (self._index == self._index[0]).all()
        self._common = int(self._index[0]) if same else None

    def _back(self, dense: Array, years: int) -> Array:
        if self._common is not None:
            row = self._common - years
            return dense[row] if 0 <= row < len(dense) else np.full(dense.shape[1], np.nan)
        rows = self._index - years
        inside = (rows >= 0) & (rows < len(dense))
        values = dense[np.where(inside, rows, 0), np.arange(dense.shape[1])]
        return np.where(inside, values, np.nan)


class _AllYears(_View):
    """What views of all years share: facts hold at the as-of date only, so none may use them."""

    complete = True

    def fact(self, name: str) -> Array:
        raise NotFound(f"The fact {name!r} is of the as-of date, not of every year.")


class EveryYear(_AllYears):
    """Every firm-year at once, year by year, those without accounts unknown (``Cube.present``)."""

    def earlier(self, values: Array, years: int) -> Array:
        step = min(years * len(self.cube.firm_ids), len(values))
        moved = np.empty_like(values)
        moved[:step] = np.nan
        moved[step:] = values[: len(values) - step]
        return moved

    def _back(self, dense: Array, years: int) -> Array:
        return self.earlier(dense.ravel(), years) if years else dense.ravel()


class FirmYears(_AllYears):
    """The firm-years with accounts among ``rows`` of the annual table: one row each.

    The rows must hold all years of their firms. ``before`` keeps :meth:`Cube.rows_before` of the
    whole cube for the next view.
    """

    def __init__(self, cube: Cube, rows: slice, before: dict[int, Array]) -> None:
        super().__init__(cube)
        self.rows = rows
        self._whole = before
        self._before: dict[int, tuple[Array, Array]] = {}

    def earlier(self, values: Array, years: int) -> Array:
        if years not in self._before:
            if years not in self._whole:
                self._whole[years] = self.cube.rows_before(years)
            rows = self._whole[years][self.rows]
            self._before[years] = np.maximum(rows - self.rows.start, 0), rows < 0
        rows, absent = self._before[years]
        moved = values.take(rows)
        np.putmask(moved, absent, np.nan)
        return moved

    def lag(self, column: str, years: int) -> Array:
        values = self.cube.of_rows(column)[self.rows]
        return self.earlier(values, years) if years else values

    def comparable(self, shift: int, years: int) -> Array:
        basis = self.cube.basis_of_rows[self.rows]
        now = self.earlier(basis, shift) if shift else basis
        return np.where(now == self.earlier(basis, shift + years), 1.0, np.nan)


def _numbered(firm_ids: pd.Series) -> tuple[Array, Array]:
    """A number per row and the sorted ids; a panel's rows stand in order, so it only compares."""
    starts = firm_ids.ne(firm_ids.shift()).to_numpy(dtype=bool)
    firms = np.asarray(firm_ids[starts], dtype=object)
    if (firms[1:] > firms[:-1]).all():
        return np.cumsum(starts) - 1, firms
    codes, found = pd.factorize(firm_ids, sort=True)
    return codes, np.asarray(found, dtype=object)


def _numeric(spec: Column, annual: pd.DataFrame) -> Array:
    if spec.name not in annual:
        return np.full(len(annual), np.nan)
    values = annual[spec.name]
    if spec.dtype == "code":
        rank = {code: float(i) for i, code in enumerate(spec.codes)}
        codes, found = pd.factorize(values)
        return np.array([*(rank.get(code, np.nan) for code in found), np.nan])[codes]
    return values.to_numpy(dtype="float64")
