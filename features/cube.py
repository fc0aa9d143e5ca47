"""Firm × calendar year, dense: the natural form of lags.

A lag is a slice, and a missing calendar year stays missing: nothing is ever shifted by row.
:class:`Cube` holds the annual table of a panel; :class:`Window` looks at it from each firm's newest
known year, :class:`EveryYear` from all years at once. Both answer :class:`features.expr.Numbers`.
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

__all__ = ["Cube", "EveryYear", "Window"]


class Cube:
    """The accounts of all firms; ``firm_ids`` sorted, columns made dense when first asked for."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.annual = panel.tables["annual"]
        codes, firms = pd.factorize(self.annual["firm_id"], sort=True)
        self.firm_ids: Array = np.asarray(firms, dtype=object)
        years = self.annual["year"].to_numpy(dtype="int64")
        self.first_year = int(years.min()) if len(years) else 0
        self.n_years = int(years.max()) - self.first_year + 1 if len(years) else 0
        self._cell = (years - self.first_year) * len(self.firm_ids) + codes
        self._dense: dict[str, Array] = {}

    def column(self, name: str) -> Array:
        """Values as (years, firms), NaN where unknown; a column the data lacks is all unknown."""
        if name not in self._dense:
            values = _numeric(self.panel.column(name), self.annual)
            self._dense[name] = self._scatter(values)
        return self._dense[name]

    def has(self, name: str) -> bool:
        """Whether the data holds any value of the column."""
        return name in self.annual and bool(self.annual[name].notna().any())

    def lacks(self, names: frozenset[str]) -> bool:
        """Whether none of the columns holds a value (false where no column is named)."""
        return bool(names) and not any(self.has(name) for name in names)

    def _scatter(self, values: Array) -> Array:
        dense = np.full(self.n_years * len(self.firm_ids), np.nan)
        dense[self._cell] = values
        return dense.reshape(self.n_years, len(self.firm_ids))

    @cached_property
    def basis(self) -> Array:
        """A number per firm-year that differs where basis or currency differ; NaN = no accounts."""
        return self._scatter(pd.factorize(self._basis_of_rows, sort=True)[0].astype("float64"))

    @cached_property
    def basis_text(self) -> Array:
        """The same as text, comparable between panels; "" = no accounts."""
        dense = np.full(self.n_years * len(self.firm_ids), "", dtype=object)
        dense[self._cell] = self._basis_of_rows.to_numpy(dtype=object)
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
    """What both views share: facts and peers of the rows they show."""

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


class EveryYear(_View):
    """Every firm-year at once, year by year, those without accounts unknown (``Cube.present``).

    Facts hold at the as-of date only, so no year but the newest could use them.
    """

    def fact(self, name: str) -> Array:
        raise NotFound(f"The fact {name!r} is of the as-of date, not of every year.")

    def _back(self, dense: Array, years: int) -> Array:
        if years == 0:
            return dense.ravel()
        shifted = np.full_like(dense, np.nan)
        if years < len(dense):
            shifted[years:] = dense[:-years]
        return shifted.ravel()


def _numeric(spec: Column, annual: pd.DataFrame) -> Array:
    if spec.name not in annual:
        return np.full(len(annual), np.nan)
    values = annual[spec.name]
    if spec.dtype == "code":
        rank = {code: float(i) for i, code in enumerate(spec.codes)}
        return values.map(rank).to_numpy(dtype="float64")
    return values.to_numpy(dtype="float64")
