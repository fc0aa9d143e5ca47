"""When each row became known: the mapping's rule, a column of the file, or the table's default."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from features.draft import Draft
from features.mapping import KnownOn, Mapping
from features.mapping_tables import OWN_DATES
from features.schema import register

__all__ = ["ALWAYS", "default_rule", "stamp"]

ALWAYS = date(1900, 1, 1)

FIRST_YEAR, LAST_YEAR = 1900.0, 9999.0


def default_rule(table: str) -> KnownOn:
    """Accounts: 30 June of the next year, inferred; events and titles: their own date."""
    if table in OWN_DATES:
        return KnownOn("own", own=OWN_DATES[table])
    if table == "firms":
        return KnownOn("own", own=("founded_on",))
    return KnownOn("yearly", inferred=True)


def stamp(draft: Draft, mapping: Mapping, today: date, source: pd.DataFrame) -> None:
    """Add ``known_on`` and ``known_inferred``; ``source`` holds the dates and years a rule names.

    A date in the file stands above every rule. A rule never yields a day after the import: what is
    in the file is known today.
    """
    table = draft.rule.table
    rule = draft.rule.known_on or default_rule(table)
    now = np.datetime64(today, "D")
    known, inferred = _by_rule(draft, rule, source, now)
    if mapping.live and "year" in register().tables[table].key and draft.rule.known_on is None:
        live = draft.frame["year"].to_numpy(dtype="float64") >= today.year - 1
        known, inferred = np.where(live, now, known), inferred & ~live
    late = inferred & (known > now)
    known, inferred = np.where(late, now, known), inferred & ~late
    if "known_on" in draft.frame:
        given = draft.frame["known_on"].to_numpy(dtype="datetime64[D]")
        has = ~np.isnat(given)
        known, inferred = np.where(has, given, known), inferred & ~has
    draft.frame["known_on"] = known.astype("datetime64[s]")
    draft.frame["known_inferred"] = inferred


def _by_rule(
    draft: Draft, rule: KnownOn, source: pd.DataFrame, now: np.datetime64
) -> tuple[np.ndarray, np.ndarray]:
    frame, n = draft.frame, len(draft.frame)
    observed = np.zeros(n, dtype=bool)
    if rule.how == "always":
        return np.full(n, np.datetime64(ALWAYS, "D")), observed
    if rule.how == "live":
        return np.full(n, now), observed
    if rule.how == "fixed":
        assert rule.fixed is not None
        return np.full(n, np.datetime64(rule.fixed, "D")), observed
    if rule.how == "yearly":
        return _yearly(rule, frame, source), np.full(n, rule.inferred)
    known = np.full(n, np.datetime64("NaT", "D"))
    names = (rule.column,) if rule.how == "column" else rule.own
    for name in names:
        dates = source[name] if rule.how == "column" else frame.get(name)
        if dates is not None:
            found = dates.to_numpy(dtype="datetime64[D]")
            known = np.where(np.isnat(known), found, known)
    if draft.rule.table == "applications" and rule.how == "own":
        known = np.where(_undated_result(frame), np.datetime64("NaT", "D"), known)
    missing = np.isnat(known)
    if not missing.any():
        return known, observed
    # Without a date: firms were always there; accounts follow the yearly default; the rest is known
    # since this import.
    table = draft.rule.table
    if table == "firms":
        rest = np.full(n, np.datetime64(ALWAYS, "D"))
    elif "year" in register().tables[table].key:
        rest = _yearly(replace(KnownOn("yearly"), inferred=True), frame, source)
        observed = missing
    else:
        rest = np.full(n, now)
    return np.where(missing, rest, known), observed


def _undated_result(frame: pd.DataFrame) -> np.ndarray:
    """Applications with a result of which nobody says when it fell: not known at submission."""
    results = [n for n in map(str, frame) if n.endswith("_result") or n == "failed_clause"]
    decided = frame.get("decided_on")
    undated = np.ones(len(frame), bool) if decided is None else decided.isna().to_numpy()
    return np.asarray(undated & frame[results].notna().any(axis=1).to_numpy(dtype=bool))


def _yearly(rule: KnownOn, frame: pd.DataFrame, source: pd.DataFrame) -> np.ndarray:
    years = frame["year"].to_numpy(dtype="float64") + rule.years_after
    if rule.plus_column:
        years = years + np.nan_to_num(source[rule.plus_column].to_numpy(dtype="float64"))
    # A year beyond the calendar is refused elsewhere, with its place; here it must only not crash.
    years = np.clip(np.nan_to_num(years, nan=FIRST_YEAR), FIRST_YEAR, LAST_YEAR)
    start = (years.astype("int64") - 1970).astype("datetime64[Y]")
    month = start.astype("datetime64[M]") + (rule.month - 1)
    return np.asarray(month.astype("datetime64[D]") + (rule.day - 1))
