"""What a target measures: figures for the city and its districts, and the records behind each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from policy.logic import MANUAL, MET, UNKNOWN, UNMET, Status
from policy.plan.ground import Ground
from policy.plan.presence import ended_on, present
from policy.plan.result import Note
from policy.plan.rows import Plan
from policy.plan.settings import Settings
from tidu.errors import NotAvailable

__all__ = [
    "Base",
    "Figures",
    "Measured",
    "base_of",
    "chosen",
    "counts",
    "here_now",
    "measured",
    "no_data",
]

Figures = Mapping[str, float | None]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """Figures at a day. ``records`` are firms (or activities), with a flag column per figure.

    ``behind`` names the flag of each figure. A figure that is None was not recorded. ``districts``
    has a row per district and the same columns as ``city``.
    """

    records: pd.DataFrame
    city: Figures
    districts: pd.DataFrame
    behind: Mapping[str, str]
    notes: tuple[Note, ...] = ()

    @property
    def value(self) -> float | None:
        return self.city["value"]

    def named(self, figure: str, district: str | None = None) -> pd.DataFrame:
        """The records behind a figure, of the city or one district."""
        flag = self.behind[figure]
        rows = self.records[flag].to_numpy(dtype=bool)
        if district is not None:
            rows = rows & (self.records["district"] == district).to_numpy(dtype=bool)
        return self.records[rows].reset_index(drop=True)


Compute = Callable[[pd.DataFrame], Figures]


def measured(
    records: pd.DataFrame,
    compute: Compute,
    behind: Mapping[str, str],
    known: bool = True,
    notes: tuple[Note, ...] = (),
) -> Measured:
    """Compute all figures for the city and each district that the records name."""
    if not known:
        return no_data(records, compute, behind, notes)
    parts = {str(name): compute(part) for name, part in records.groupby("district", sort=True)}
    return Measured(records, compute(records), _frame(parts, compute, records), behind, notes)


def no_data(
    records: pd.DataFrame, compute: Compute, behind: Mapping[str, str], notes: tuple[Note, ...] = ()
) -> Measured:
    """All figures None: nothing was recorded, which is not zero."""
    empty = records.iloc[:0]
    figures = dict.fromkeys(compute(empty))
    said = Note("无数据", "No data")
    return Measured(empty, figures, _frame({}, compute, empty), behind, (said, *notes))


def _frame(parts: Mapping[str, Figures], compute: Compute, records: pd.DataFrame) -> pd.DataFrame:
    names = list(compute(records.iloc[:0]))
    rows = [[np.nan if part[n] is None else part[n] for n in names] for part in parts.values()]
    index = pd.Index(list(parts), name="district", dtype=object)
    return pd.DataFrame(rows, index=index, columns=names, dtype="float64")


def counts(*flags: str, value: str) -> Compute:
    """Figures that are numbers of records; ``value`` is the flag that the target counts."""

    def compute(records: pd.DataFrame) -> Figures:
        found = {flag: float(records[flag].sum()) for flag in flags}
        return {"value": found[value], **found}

    return compute


def chosen(raw: object, settings: Settings) -> Any:
    """What a row or a parameter says; a parameter that nobody decided is an error."""
    if not (isinstance(raw, Mapping) and set(raw) == {"param"}):
        return raw
    found = settings.parameters.get(str(raw["param"]))
    if found is None:
        raise NotAvailable(
            f"The parameter {raw['param']} must be decided.", "Set it in policy/city.toml."
        )
    return found


def here_now(panel: Panel, plan: Plan) -> Mask:
    """Which of ``panel.firm_ids`` are in the city at the panel's day, and still exist."""
    ids = panel.firm_ids
    gone = ended_on(panel, ids, plan.gone_kinds)
    return present(panel, ids, panel.as_of) & ~(gone <= np.datetime64(panel.as_of, "s"))


@dataclass(frozen=True, slots=True)
class Base:
    """Over whom a target counts, in the order of ``panel.firm_ids``: surely, and perhaps."""

    inside: Mask
    maybe: Mask

    def narrowed(self, test: Status) -> Base:
        """Only those of whom a condition holds; open conditions leave a firm as a perhaps."""
        open_ = (test == UNKNOWN) | (test == MANUAL)
        return Base(
            self.inside & (test == MET),
            (self.inside & open_) | (self.maybe & (open_ | (test == MET))),
        )


def base_of(raw: object, ground: Ground, plan: Plan) -> Base:
    """Firms of a scope that are in the city."""
    status = ground.scope(str(chosen(raw, ground.settings)))
    here = here_now(ground.panel, plan)
    return Base(here & (status == MET), here & (status != MET) & (status != UNMET))
