"""Cohorts and labels: who could be asked about at a date, and what came of it.

A label is 1, 0 or unknown (NaN). It is 0 only where coverage says that absence means "did not
happen", and any label counts only once its window had closed and its evidence was known: the
evidence is a panel, as it stood on the training date.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from features.cube import Cube
from features.expr import Array
from features.panel import Panel
from features.profile import Observation
from model import titles
from model.tasks import Task
from model.windows import among, covered, happened, window
from policy.law import Law
from tidu.clock import add_months
from tidu.errors import NotAvailable

__all__ = ["cohort", "editions", "fresh", "label", "supported"]

RECENT_MONTHS = 12
ROUNDING = 1e-9


def fresh(seen: Observation) -> Array:
    """Firms whose accounts are of the usual age at this date: bool over ``seen.firm_ids``.

    The usual newest year is the one most firms show that reported within the last 12 months, so
    training and scoring at the same month and day see accounts of the same age.
    """
    newest = seen.cube.newest_year
    since = np.datetime64(add_months(seen.cube.panel.as_of, -RECENT_MONTHS))
    recent = _newest_known(seen) > since
    if not recent.any():
        return np.zeros(len(newest), dtype=bool)
    years, counts = np.unique(newest[recent], return_counts=True)
    return np.asarray(newest >= years[np.argmax(counts)])


def _newest_known(seen: Observation) -> Array:
    annual = seen.cube.annual
    order = np.argsort(annual["year"].to_numpy(), kind="stable")
    codes = np.searchsorted(seen.firm_ids, annual["firm_id"].to_numpy(dtype=object)[order])
    known = np.empty(len(seen.firm_ids), dtype="datetime64[D]")
    known[codes] = annual["known_on"].to_numpy(dtype="datetime64[D]")[order]
    return known


def cohort(task: Task, seen: Observation, law: Law | None = None) -> Array:
    """Firms the task can be asked about at this date: bool over ``seen.firm_ids``.

    ``law`` says who may apply for a title; without one it is the law as it ships.
    """
    panel, ids = seen.cube.panel, seen.firm_ids
    member = ~_gone(task, panel, ids)
    out = panel.firms["city_out_on"].reindex(ids)
    member &= out.isna().to_numpy()
    if panel.outcome_task == task.name.name:
        return np.asarray(member)
    return np.asarray(member & COHORTS[task.rule](task, seen, law))


def _growing(task: Task, seen: Observation, _: Law | None) -> Array:
    base = seen.window.lag(task.column, 0)
    last_year = seen.cube.newest_year == seen.cube.panel.as_of.year - 1
    return np.asarray(last_year & (base > max(task.floor or 0.0, 0.0)))


def _not_in_distress(task: Task, seen: Observation, _: Law | None) -> Array:
    events = seen.cube.panel.tables["events"]
    open_ones = events["kind"].isin(task.events) & events["ended_on"].isna()
    if task.boards:
        open_ones &= ~_elsewhere(task, events)
    return ~among(seen.firm_ids, events["firm_id"][open_ones.to_numpy()])


COHORTS: dict[str, Callable[[Task, Observation, Law | None], Array]] = {
    "growth": _growing,
    "event": _not_in_distress,
    **titles.COHORTS,
}


def label(task: Task, seen: Observation, evidence: Panel) -> Array:
    """What became of each firm of ``seen`` within the window: 1, 0 or NaN, over all its firms."""
    if evidence.outcome_task == task.name.name:
        return _row_label(seen, evidence)
    found = LABELS[task.rule](task, seen, evidence)
    # Of a firm that left the city within the window nobody saw that nothing happened; what counts
    # as an outcome because nothing was seen (a lapse) is unknown likewise.
    left = evidence.firms["city_out_on"].reindex(seen.firm_ids)
    start, end = window(task.months, seen.cube.panel.as_of)
    gone = ((left > start) & (left <= end)).to_numpy(dtype=bool)
    unseen = 1.0 if task.rule == "lapse" else 0.0
    return np.where(gone & (found == unseen), np.nan, found)


def editions(task: Task, seen: Observation, evidence: Panel) -> Array:
    """The edition of the law behind each firm's outcome; "" where none is or the law has no say."""
    if not task.tier or evidence.outcome_task == task.name.name:
        return np.full(len(seen.firm_ids), "", dtype=object)
    return titles.editions(task, seen, evidence)


def _row_label(seen: Observation, evidence: Panel) -> Array:
    """The outcome of the very row that is newest, where its accounts are of the usual age."""
    outcomes = evidence.tables["outcomes"]
    keyed = outcomes.set_index(["firm_id", "year"])["outcome"]
    index = pd.MultiIndex.from_arrays([seen.firm_ids, seen.cube.newest_year])
    values = keyed.reindex(index).to_numpy(dtype="float64")
    return np.where(fresh(seen), values, np.nan)


def _growth_label(task: Task, seen: Observation, evidence: Panel) -> Array:
    years = task.months // 12
    later = Cube(evidence)
    base_year = seen.cube.newest_year
    base = seen.window.lag(task.column, 0)
    end = _at(later, later.column(task.column), seen.firm_ids, base_year + years)
    basis = _at(seen.cube, seen.cube.basis_text, seen.firm_ids, base_year)
    same = basis == _at(later, later.basis_text, seen.firm_ids, base_year + years)
    with np.errstate(all="ignore"):
        rate = 100.0 * ((end / base) ** (1.0 / years) - 1.0)
    rate = np.where(end <= 0, -100.0, rate)
    if add_months(seen.cube.panel.as_of, task.months) > evidence.as_of:
        return np.full(len(base), np.nan)  # early reporters alone are no fair sample
    known = same & ~np.isnan(end) & (base > 0)
    # 100 to 120 is 20 %, whatever the last bit says.
    reached = rate >= task.minimum_pct - ROUNDING
    return np.where(known, reached.astype("float64"), np.nan)


def _at(cube: Cube, dense: Array, firm_ids: Array, years: Array) -> Array:
    """Values of firms at chosen years; missing where the cube holds neither."""
    missing = np.nan if dense.dtype.kind == "f" else ""
    result = np.full(
        len(firm_ids), missing, dtype=dense.dtype if dense.dtype.kind == "f" else object
    )
    if not len(cube.firm_ids):
        return result
    place = np.minimum(np.searchsorted(cube.firm_ids, firm_ids), len(cube.firm_ids) - 1)
    row = years - cube.first_year
    inside = (cube.firm_ids[place] == firm_ids) & (row >= 0) & (row < cube.n_years)
    result[inside] = dense[row[inside], place[inside]]
    return result


def _event_label(task: Task, seen: Observation, evidence: Panel) -> Array:
    start, end = window(task.months, seen.cube.panel.as_of)
    kinds = covered(evidence, task.events, start, end)
    if not kinds or end.date() > evidence.as_of:
        return np.full(len(seen.firm_ids), np.nan)
    events = evidence.tables["events"]
    chosen = events["kind"].isin(kinds) & (events["on"] > start) & (events["on"] <= end)
    if not task.boards:
        return happened(events["firm_id"][chosen.to_numpy()], seen.firm_ids)
    there = chosen & events["board"].isin(task.boards)
    unsure = chosen & events["board"].isna()
    found = happened(events["firm_id"][there.to_numpy()], seen.firm_ids)
    unknown = among(seen.firm_ids, events["firm_id"][unsure.to_numpy()])
    return np.where(unknown & (found == 0), np.nan, found)


LABELS: dict[str, Callable[[Task, Observation, Panel], Array]] = {
    "growth": _growth_label,
    "event": _event_label,
    **titles.LABELS,
}


def supported(task: Task, evidence: Panel) -> None:
    """Raise :class:`NotAvailable`, saying what is missing, where no label can exist."""
    if evidence.outcome_task:
        if evidence.outcome_task != task.name.name:
            raise NotAvailable(
                f"This data is labelled row by row for {evidence.outcome_task}; it cannot"
                f" support {task.name}.",
                f"Ask for {evidence.outcome_task}, or import events with coverage.",
            )
        return
    if task.rule == "growth":
        if not Cube(evidence).has(task.column):
            raise NotAvailable(
                f"{task.name} needs the column annual.{task.column}; no value is known by"
                f" {evidence.as_of}.",
                "Import accounts that hold it.",
            )
        return
    known = {c.kind for c in evidence.coverage}
    missing = [kind for kind in task.coverage if kind not in known]
    if missing and (task.tier or len(missing) == len(task.coverage)):
        which = "" if task.tier else "at least one of "
        raise NotAvailable(
            f"{task.name} needs coverage of {which}{', '.join(missing)}: without it the absence"
            " of a record is unknown, not a no.",
            "Declare [coverage] with start and end in the mapping of the file that holds them.",
        )


def _gone(task: Task, panel: Panel, firm_ids: Array) -> Array:
    """Firms an event has taken out of the cohort; an event on a board of no account takes none."""
    events = panel.tables["events"]
    ended = events["kind"].isin(task.gone)
    if task.boards:
        ended &= ~events["kind"].isin(task.events) | ~_elsewhere(task, events)
    return among(firm_ids, events["firm_id"][ended.to_numpy()])


def _elsewhere(task: Task, events: pd.DataFrame) -> pd.Series:
    """Whether the board is known and is none of the task's."""
    return events["board"].notna() & ~events["board"].isin(task.boards)
