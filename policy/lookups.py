"""Look-ups of formulas: what titles, events and yearly tables say of each firm at the day.

A record that is not there is unknown, unless the data's coverage says that absence means it did not
happen. Repaired and exempt records (信用修复, 轻微违法免罚) stand nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import valid_titles
from features.panel import Panel
from features.schema import register
from policy.calendar import day_numbers, months_between
from tidu.clock import add_months

__all__ = ["Asked", "lookup"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """A panel and the fiscal year of the batch."""

    panel: Panel
    data_year: int

    @property
    def day(self) -> date:
        return self.panel.as_of

    @cached_property
    def firms(self) -> Any:
        return pd.Index(self.panel.firm_ids)

    @cached_property
    def events(self) -> pd.DataFrame:
        """Events that count: neither repaired nor exempt."""
        events = self.panel.tables["events"]
        clean = events["repaired_on"].isna() & (events["exempt_minor"].fillna(0) != 1)
        return events[clean.to_numpy(dtype=bool)]

    def covered(self, kind: str, since: date) -> bool:
        """Whether absence of a kind from ``since`` to the day means: did not happen."""
        spans = (c for c in self.panel.coverage if c.kind == kind)
        return any(c.start <= since and self.day <= c.end for c in spans)

    def flagged(self, firm_ids: pd.Series, otherwise: float) -> Floats:
        """1 for these firms, ``otherwise`` for the rest."""
        found = np.full(len(self.firms), otherwise)
        place = self.firms.get_indexer(firm_ids.to_numpy(dtype=object))
        found[place[place >= 0]] = 1.0
        return found


def lookup(ask: Asked, name: str) -> Floats:
    """Answer a look-up by its canonical name."""
    what, _, rest = name.partition("(")
    words = [word.strip() for word in rest.rstrip(")").split(",") if word.strip()]
    return _ANSWERS[what](ask, *words)


def _held(ask: Asked, tier: str) -> Floats:
    titles = valid_titles(ask.panel)
    known = ask.covered(f"title:{tier}", ask.day)
    return ask.flagged(titles.loc[titles["tier"] == tier, "firm_id"], 0.0 if known else np.nan)


def _ever(ask: Asked, tier: str) -> Floats:
    titles = ask.panel.tables["titles"]
    known = ask.covered(f"title:{tier}", ask.day)
    return ask.flagged(titles.loc[titles["tier"] == tier, "firm_id"], 0.0 if known else np.nan)


def _open(ask: Asked, kind: str) -> Floats:
    """A state in force: entered, and not ended by the day; the day of removal is free of it."""
    events = ask.events
    running = (events["kind"] == kind) & events["ended_on"].isna()
    known = ask.covered(kind, ask.day)
    return ask.flagged(
        events.loc[running.to_numpy(dtype=bool), "firm_id"], 0.0 if known else np.nan
    )


def _recent(ask: Asked, kind: str, months: str, severity: str = "") -> Floats:
    """An event within so many months: it counts up to the day before the same date comes round."""
    since = add_months(ask.day, -int(months))
    events = ask.events
    chosen = (events["kind"] == kind) & (events["on"] > pd.Timestamp(since))
    if severity:
        order = list(register().column("events", "severity").codes)
        grave = events["severity"].isin(order[order.index(severity) :])
        chosen &= grave | events["severity"].isna()
    known = ask.covered(kind, since)
    return ask.flagged(events.loc[chosen.to_numpy(dtype=bool), "firm_id"], 0.0 if known else np.nan)


def _since_new_year(ask: Asked, kind: str, years: str) -> Floats:
    """An event this calendar year or in so many before it: the window opens on a New Year's Day."""
    since = date(ask.day.year - int(years), 1, 1)
    events = ask.events
    chosen = (events["kind"] == kind) & (events["on"] >= pd.Timestamp(since))
    known = ask.covered(kind, since)
    return ask.flagged(events.loc[chosen.to_numpy(dtype=bool), "firm_id"], 0.0 if known else np.nan)


def _banned(ask: Asked, *tiers: str) -> Floats:
    """Barred from applying, by any title or by those of these tiers: the last day still bars."""
    titles = ask.panel.tables["titles"]
    barred = titles["ban_until"] >= pd.Timestamp(ask.day)
    if tiers:
        barred &= titles["tier"].isin(tiers)
        known = all(ask.covered(f"title:{tier}", ask.day) for tier in tiers)
    else:
        known = any(c.kind.startswith("title:") and c.end >= ask.day for c in ask.panel.coverage)
    return ask.flagged(titles.loc[barred.to_numpy(dtype=bool), "firm_id"], 0.0 if known else np.nan)


def _year_of(ask: Asked, year: int) -> pd.DataFrame:
    annual = ask.panel.tables["annual"]
    return annual[(annual["year"] == year).to_numpy()].set_index("firm_id").reindex(ask.firms)


def _has(ask: Asked, column: str, code: str) -> Floats:
    firms = column in register().tables["firms"].columns
    cells = ask.panel.firms[column] if firms else _year_of(ask, ask.data_year)[column]
    sets = cells.astype("object")
    inside = sets.map(lambda cell: code in cell.split(";"), na_action="ignore")
    return np.asarray(inside.astype("float64").to_numpy())


def _award(ask: Asked, level: str, rank: str, years: str) -> Floats:
    """A science award of at least a level, ranked at most so (0: any), within fiscal years to t.

    The date of the certificate decides, not the row it is reported in.
    """
    order = list(register().column("annual", "st_award_level").codes)
    wanted, most, span = order.index(level), int(rank), int(years)
    first = pd.Timestamp(date(ask.data_year - span + 1, 1, 1))
    found, maybe = np.zeros(len(ask.firms), bool), np.zeros(len(ask.firms), bool)
    for year in range(ask.data_year - span + 1, ask.data_year + 1):
        rows = _year_of(ask, year)
        place = rows["st_award_level"].map({c: float(i) for i, c in enumerate(order)})
        high = (place.astype("float64") >= wanted).to_numpy()
        dates = rows["st_award_date"]
        inside = (dates.isna() | (dates >= first)).to_numpy()
        ranked = rows["st_award_rank"].to_numpy(dtype="float64")
        near = high & inside
        found |= near & ((ranked <= most) if most else True)
        maybe |= near & np.isnan(ranked) & (most > 0)
    stated = _year_of(ask, ask.data_year)["st_award_level"].notna().to_numpy()
    unknown = maybe | ~stated
    return np.where(found, 1.0, np.where(unknown, np.nan, 0.0))


def _market(ask: Asked) -> pd.DataFrame:
    events = ask.panel.tables["events"]
    kinds = events["kind"].isin(["quoted", "listed", "delisted"])
    return events[kinds.to_numpy(dtype=bool)].sort_values(["firm_id", "on"], kind="stable")


def _months_on(ask: Asked, *boards: str) -> Floats:
    """Whole months since the first quotation on these boards, if the firm stands on one now."""
    otherwise = 0.0 if ask.covered("quoted", ask.day) else np.nan
    since = np.full(len(ask.firms), np.nan)
    events = _market(ask)
    last = events.drop_duplicates("firm_id", keep="last").set_index("firm_id")
    left = events[(events["kind"] == "delisted").to_numpy()].groupby("firm_id")["on"].max()
    chosen = events[events["board"].isin(boards).to_numpy(dtype=bool)]
    gone = pd.to_datetime(left.reindex(chosen["firm_id"])).to_numpy("datetime64[s]")
    chosen = chosen[~(chosen["on"].to_numpy("datetime64[s]") <= gone)]
    first = chosen.groupby("firm_id")["on"].min()
    now = last.index[
        (last["board"].isin(boards) & (last["kind"] != "delisted")).to_numpy(dtype=bool)
    ]
    first = first.reindex(now).dropna()
    since[ask.firms.get_indexer(first.index)] = day_numbers(first.to_numpy("datetime64[D]"))
    months = months_between(since, ask.day)
    return np.where(np.isnan(months), otherwise, months)


def _on_board(ask: Asked, *boards: str) -> Floats:
    """Whether the newest quotation or listing is on one of these boards, and not ended since."""
    known = ask.covered("quoted", ask.day) and ask.covered("listed", ask.day)
    found = np.full(len(ask.firms), 0.0 if known else np.nan)
    last = _market(ask).drop_duplicates("firm_id", keep="last")
    inside = last["board"].isin(boards).astype("float64").where(last["board"].notna())
    stands = np.where(last["kind"] == "delisted", 0.0, inside)
    place = ask.firms.get_indexer(last["firm_id"].to_numpy(dtype=object))
    found[place[place >= 0]] = stands[place >= 0]
    return found


def _months_since(ask: Asked, kind: str) -> Floats:
    """Whole months since the newest event of a kind; never is infinitely long ago."""
    events = ask.events
    newest = events[(events["kind"] == kind).to_numpy()].groupby("firm_id")["on"].max()
    since = np.full(len(ask.firms), np.nan)
    place = ask.firms.get_indexer(newest.index)
    days = day_numbers(newest.to_numpy("datetime64[D]"))
    since[place[place >= 0]] = days[place >= 0]
    never = np.inf if ask.covered(kind, ask.day) else np.nan
    months = months_between(since, ask.day)
    return np.where(np.isnan(months), never, months)


_ANSWERS: Mapping[str, Callable[..., Floats]] = {
    "held": _held,
    "ever": _ever,
    "open": _open,
    "recent": _recent,
    "since_new_year": _since_new_year,
    "banned": _banned,
    "has": _has,
    "award": _award,
    "months_on": _months_on,
    "on_board": _on_board,
    "months_since": _months_since,
}
