"""Cohorts and labels of titles: promotion, application, recognition given it, and lapse.

Who may be asked about is decided as of the date: by the ladder of the city, by the gates of the
edition then in force (:mod:`policy.eligibility`), and by what the firm holds already. What is not
known excludes nobody. Of two factors, ``promotion = application x recognition``: a title issued in
the window belongs to an application of the window, or to one that was open when it began.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from features.expr import Array
from features.facts import LADDER, covered, valid_titles
from features.panel import Panel
from features.profile import Observation
from model import windows
from model.editions import in_force, year_of
from model.tasks import Task
from model.windows import among, happened, window
from policy.eligibility import barred
from policy.law import Law
from policy.loading import standing
from tidu.clock import add_months

__all__ = ["COHORTS", "LABELS", "editions", "pending"]

PENDING_MONTHS = 12
"""An application without a decision for longer than this is taken to have been dropped."""


def _applicable(task: Task, seen: Observation, law: Law | None) -> Array:
    """Firms that may apply: below the title, on the step under it, not barred by the law."""
    panel, ids = seen.cube.panel, seen.firm_ids
    titles = valid_titles(panel)
    reached = titles["tier"].isin(LADDER[LADDER.index(task.tier) :])
    member = ~among(ids, titles["firm_id"][reached.to_numpy()])
    if task.below and covered(panel, f"title:{task.below}"):
        member &= among(ids, titles["firm_id"][(titles["tier"] == task.below).to_numpy()])
    asked = np.flatnonzero(member)
    member[asked] = ~barred(law or standing(), panel, task.tier, ids[asked])
    return member


def _undecided(task: Task, seen: Observation, law: Law | None) -> Array:
    """Firms that may apply and have not done so already: of the others the answer is known."""
    open_ = pending(task.tier, seen.cube.panel, seen.firm_ids)
    return np.asarray(_applicable(task, seen, law) & ~open_)


def pending(tier: str, panel: Panel, firm_ids: Array) -> Array:
    """Firms with an application for a new title that nothing is decided about: bool."""
    moment = pd.Timestamp(panel.as_of)
    rows = _new(panel.tables["applications"], tier)
    open_ = rows["decided_on"].isna() & (rows["final_result"].fillna("pending") == "pending")
    since = pd.Timestamp(add_months(panel.as_of, -PENDING_MONTHS))
    recent = (rows["submitted_on"] > since) & (rows["submitted_on"] <= moment)
    return among(firm_ids, rows["firm_id"][(open_ & recent).to_numpy(dtype=bool)])


def _due(task: Task, seen: Observation, _: Law | None) -> Array:
    """Holders whose title ends within the window, with no later title of the tier in hand."""
    start, end = window(task.months, seen.cube.panel.as_of)
    last = _ends(seen.cube.panel, task.tier)
    due = last.index[((last >= start) & (last <= end)).to_numpy()]
    return among(seen.firm_ids, due.to_series())


def _ends(panel: Panel, tier: str) -> pd.Series:
    """The last day of each holder's newest title of a tier; one without an end has none."""
    titles = valid_titles(panel)
    own = titles[(titles["tier"] == tier).to_numpy()]
    last = own["expires_on"].fillna(pd.Timestamp.max.floor("s")).groupby(own["firm_id"]).max()
    return last[(last < pd.Timestamp.max.floor("s")).to_numpy()]


COHORTS: dict[str, Callable[[Task, Observation, Law | None], Array]] = {
    "title": _applicable,
    "application": _undecided,
    "recognition": _applicable,
    "lapse": _due,
}


def _promoted(task: Task, seen: Observation, evidence: Panel) -> Array:
    """A title was issued in the window; one that came back by review is neither yes nor no."""
    start, end = window(task.months, seen.cube.panel.as_of)
    if not _closed(task, evidence, start, end):
        return np.full(len(seen.firm_ids), np.nan)
    rows = _issued(evidence, task.tier, start, end)
    review = (rows["purpose"] == "review").to_numpy(dtype=bool)
    found = happened(rows["firm_id"][~review], seen.firm_ids)
    again = among(seen.firm_ids, rows["firm_id"][review])
    return np.where(again & (found == 0), np.nan, found)


def _applied(task: Task, seen: Observation, evidence: Panel) -> Array:
    start, end = window(task.months, seen.cube.panel.as_of)
    if not _closed(task, evidence, start, end):
        return np.full(len(seen.firm_ids), np.nan)
    return happened(_submitted(evidence, task.tier, start, end), seen.firm_ids)


def _recognised(task: Task, seen: Observation, evidence: Panel) -> Array:
    """Of those that applied in the window, or had when it began: was the title issued in it?"""
    panel = seen.cube.panel
    start, end = window(task.months, panel.as_of)
    applied = among(seen.firm_ids, _submitted(evidence, task.tier, start, end))
    applied |= pending(task.tier, panel, seen.firm_ids)
    return np.where(applied, _promoted(task, seen, evidence), np.nan)


def _lapsed(task: Task, seen: Observation, evidence: Panel) -> Array:
    """No title of the tier was issued in the window, by review or anew."""
    start, end = window(task.months, seen.cube.panel.as_of)
    if not _closed(task, evidence, start, end):
        return np.full(len(seen.firm_ids), np.nan)
    return 1.0 - happened(_issued(evidence, task.tier, start, end)["firm_id"], seen.firm_ids)


LABELS: dict[str, Callable[[Task, Observation, Panel], Array]] = {
    "title": _promoted,
    "application": _applied,
    "recognition": _recognised,
    "lapse": _lapsed,
}


def editions(task: Task, seen: Observation, evidence: Panel) -> Array:
    """The edition by which each outcome of the window was decided, by year; "" where none was.

    As the title says, or the others of its batch; otherwise the one in force on the day.
    """
    start, end = window(task.months, seen.cube.panel.as_of)
    if task.rule == "lapse":
        return _by_day(task, _ends(seen.cube.panel, task.tier), seen.firm_ids)
    titles = evidence.tables["titles"]
    if task.rule == "application":
        rows = _new(evidence.tables["applications"], task.tier)
        rows = rows[((rows["submitted_on"] > start) & (rows["submitted_on"] <= end)).to_numpy(bool)]
        on = rows.groupby("firm_id")["submitted_on"].min()
        batch = rows.sort_values("submitted_on", kind="stable").groupby("firm_id")["batch"].first()
        same = titles[(titles["tier"] == task.tier).to_numpy()]
        of_batch = same.dropna(subset=["batch"]).groupby("batch")["rule_edition"].first()
        said = batch.map(of_batch)
    else:
        rows = _issued(evidence, task.tier, start, end).sort_values("issued_on", kind="stable")
        on = rows.groupby("firm_id")["issued_on"].min()
        said = rows.groupby("firm_id")["rule_edition"].first()
    found = _by_day(task, on, seen.firm_ids)
    given = said.reindex(seen.firm_ids).to_numpy(dtype=object)
    pairs = zip(given, found, strict=True)
    return np.array([year_of(g) if isinstance(g, str) and g else f for g, f in pairs], object)


def _by_day(task: Task, on: pd.Series, firm_ids: Array) -> Array:
    """The edition in force on a day of each firm's own; "" for a firm without one."""
    names = {day: in_force(task, day.date()) for day in on.dropna().unique()}
    found = on.map(names).reindex(firm_ids).to_numpy(dtype=object)
    return np.array([name if isinstance(name, str) else "" for name in found], dtype=object)


def _closed(task: Task, evidence: Panel, start: pd.Timestamp, end: pd.Timestamp) -> bool:
    """Whether the window has closed and everything that the label needs is covered over it."""
    last: date = end.date()
    found = windows.covered(evidence, task.coverage, start, end)
    return last <= evidence.as_of and set(found) == set(task.coverage)


def _issued(evidence: Panel, tier: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    titles = evidence.tables["titles"]
    inside = (titles["issued_on"] > start) & (titles["issued_on"] <= end)
    return titles[(inside & (titles["tier"] == tier)).to_numpy(dtype=bool)]


def _submitted(evidence: Panel, tier: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.Series:
    rows = _new(evidence.tables["applications"], tier)
    inside = (rows["submitted_on"] > start) & (rows["submitted_on"] <= end)
    return rows["firm_id"][inside.to_numpy(dtype=bool)]


def _new(rows: pd.DataFrame, tier: str) -> pd.DataFrame:
    """Applications for a new title of the tier; one of no stated purpose is taken for one."""
    chosen = (rows["tier"] == tier) & (rows["purpose"].fillna("new") == "new")
    return rows[chosen.to_numpy(dtype=bool)]
