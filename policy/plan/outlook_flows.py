"""The flows that forecasts rest on, read from the city's own history, with its districts as parts.

Titles: who holds one until when, how often titles were renewed and lost, how many came a year.
Pools: members by the findings on record. Events and activities: how many came in the same part of
past years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from policy.plan.counted_firms import titles_of
from policy.plan.counted_records import by_events, city_districts, held_activities
from policy.plan.footing import Footing
from policy.plan.forecast import Flow, Part, Rate, Trend
from policy.plan.outlook_history import History, Terms, windows, years_of
from policy.plan.pool_entry import declared, members
from policy.plan.presence import districts
from policy.plan.rows import Row
from policy.plan.stock import Ledger

__all__ = [
    "flow_of_activities",
    "flow_of_events",
    "flow_of_members",
    "flow_of_titles",
    "flow_of_titles_ever",
]

Days = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Places = NDArray[np.object_]
Now = Mapping[str, float]
"""What is there today, by district."""

# ---------------------------------------------------------------------------- stocks that expire


def flow_of_titles(row: Row, footing: Footing, deadline: date) -> Flow:
    """Stock, expiries, rates of exit and entries of a target in titles."""
    panel, terms = footing.ground.panel, Terms.of(footing.settings)
    ledger = Ledger.of(panel, titles_of(row, footing.plan, footing.settings))
    held, until = ledger.holds(footing.day), ledger.last_day(footing.day)
    came, place = ledger.entries()
    years = years_of(ledger.since, footing.day, terms)
    history = History(came, ledger.district[place], np.ones(len(came)), years)
    flow = _expiring(footing, deadline, history, (ledger.district[held], until[held]))
    renewal, loss = _rates(ledger, footing.day, terms)
    chances, base = footing.chances.get(row.id), float("nan")
    if chances is not None:
        outside = ~pd.Index(panel.firm_ids).isin(ledger.ids[held])
        chances = np.where(outside, chances, 0.0)
        if history.yearly and outside.any():
            base = float(np.mean(history.yearly)) / float(outside.sum())
    return replace(
        flow,
        renewal=renewal,
        loss=loss,
        chances=chances,
        default=base,
        validity=terms.validity or None,
        part=_places(districts(panel, panel.firm_ids), flow) if chances is not None else None,
    )


def flow_of_members(row: Row, footing: Footing, deadline: date) -> Flow | None:
    """Members of a pool, by the findings on record; rates of exit are the priors.

    None before a whole year of findings is on record.
    """
    panel, terms = footing.ground.panel, Terms.of(footing.settings)
    pool = declared(footing.plan)[row.detail["pool"]]
    findings = panel.tables["attestations"]
    own = findings[(findings["criterion"] == f"pool:{pool['id']}").to_numpy()]
    put_in = own[(own["finding"] == "met").to_numpy() & own["attested_on"].notna().to_numpy()]
    first = put_in.sort_values("attested_on").drop_duplicates("firm_id")
    days = first["attested_on"].to_numpy(dtype="M8[s]")
    begun = days.min().astype(object).date() if len(days) else None
    years = years_of(begun, footing.day, terms)
    if not years:
        return None
    place = districts(panel, first["firm_id"].to_numpy(dtype=object))
    ids = panel.firm_ids[members(pool["id"], footing.ground)]
    newest = own.sort_values("attested_on", na_position="first").drop_duplicates(
        "firm_id", keep="last"
    )
    until = newest.set_index("firm_id")["valid_until"].reindex(ids).to_numpy(dtype="M8[s]")
    held = (districts(panel, ids), until)
    flow = _expiring(footing, deadline, History(days, place, np.ones(len(days)), years), held)
    return replace(flow, renewal=terms.renewal, loss=terms.loss)


def _expiring(
    footing: Footing, deadline: date, history: History, held: tuple[Places, Days]
) -> Flow:
    """A flow of holders by place and last day; entries as in the history."""
    place, until = held
    parts = windows(footing.day, deadline)
    due = [window.inside(until) for window in parts]
    seen = history.by_place()
    names = _names(footing.ground.panel, footing, [*place, *history.place])
    split = {
        name: Part(
            int((place == name).sum()),
            tuple(int((rows & (place == name)).sum()) for rows in due),
            seen.get(name, 0.0),
        )
        for name in names
    }
    terms = Terms.of(footing.settings)
    shock = terms.shock.after(history.yearly)
    periods = zip(history.periods(parts), due, strict=True)
    return Flow(
        len(place),
        tuple(replace(period, expiring=int(rows.sum())) for period, rows in periods),
        shock=shock,
        trend=Trend.of(history.yearly, shock, terms.trend),
        parts=split,
    )


def _names(panel: Panel, footing: Footing, more: Sequence[str]) -> list[str]:
    """All districts that the target's table shows, and "" where a district is not recorded."""
    tasks = {place for one in footing.tasks.values() for place in one}
    unplaced = (districts(panel, panel.firm_ids) == "").any()
    return sorted({*city_districts(panel, tuple(tasks)), *more, *([""] if unplaced else ())})


def _places(place: Places, flow: Flow) -> NDArray[np.intp]:
    return np.asarray(pd.Index(list(flow.parts)).get_indexer(pd.Index(place)))


def _rates(ledger: Ledger, day: date, terms: Terms) -> tuple[Rate, Rate]:
    """Renewal and yearly loss, the city's own history shrunken towards the priors."""
    first = day.year if ledger.since is None else ledger.since.year + 1
    renewed = due = lost = held = 0
    for year in range(max(first, day.year - terms.most), day.year):
        start, end = date(year - 1, 12, 31), date(year, 12, 31)
        flows = ledger.people(start, end)
        gone = flows["revoked"] | flows["moved_out"] | flows["gone"]
        lost += int((gone & ~flows["new"]).sum())
        held += int(ledger.holds(start).sum())
        # What expired lately may still be renewed.
        if (day - end).days >= terms.grace:
            again, asked = ledger.renewals(year, terms.grace)
            renewed, due = renewed + again, due + asked
    return terms.renewal.after(renewed, due), terms.loss.after(lost, held)


# --------------------------------------------------------------------------------- what adds up


def flow_of_titles_ever(row: Row, footing: Footing, deadline: date, now: Now) -> Flow | None:
    """累计认定: each firm's first new recognition; it only adds up."""
    titles = titles_of(row, footing.plan, footing.settings)
    ledger = Ledger.of(footing.ground.panel, titles)
    days, firm = ledger.firsts()
    return _adding(footing, deadline, now, (days, ledger.district[firm], np.ones(len(days))))


def flow_of_events(row: Row, footing: Footing, deadline: date, now: Now) -> Flow | None:
    """Firms to which an event happened first, with all years before the plan as history."""
    ever = replace(row, details={row.kind: {**row.detail, "since_plan": False}})
    records = by_events(ever, footing.ground, footing.plan).records
    days = records["on"].to_numpy("M8[s]")
    place = records["district"].to_numpy(dtype=object)
    return _adding(footing, deadline, now, (days, place, np.ones(len(days))))


def flow_of_activities(row: Row, footing: Footing, deadline: date, now: Now) -> Flow | None:
    """What activities of a kind report; the first year on record may be half a year."""
    held = held_activities(row, footing.ground.panel).dropna(subset="count")
    days, place = held["on"].to_numpy("M8[s]"), held["district"].to_numpy(dtype=object)
    came = days, place, held["count"].to_numpy(dtype="float64")
    return _adding(footing, deadline, now, came, late=1)


def _adding(
    footing: Footing,
    deadline: date,
    now: Now,
    came: tuple[Days, Places, Floats],
    late: int = 0,
) -> Flow | None:
    """A flow without exits from what came; ``late`` leaves out so many first years on record."""
    terms = Terms.of(footing.settings)
    days, place, amount = came
    if not len(days):
        return None
    begun = pd.Timestamp(days.min()).year + late
    years = range(max(begun, footing.day.year - terms.most), footing.day.year)
    if not years:
        return None
    history = History(days, place, amount, years)
    parts = windows(footing.day, deadline)
    # Who holds something in spring need not hold it in autumn.
    seen, shock = history.by_place(parts), terms.shock.after(history.yearly)
    split = {
        name: Part(round(now.get(name, 0.0)), (), seen.get(name, 0.0))
        for name in sorted({*now, *seen})
    }
    return Flow(
        sum(part.stock for part in split.values()),
        history.periods(parts),
        shock=shock,
        trend=Trend.of(history.yearly, shock, terms.trend),
        parts=split,
    )
