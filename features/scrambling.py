"""Scramble the future: change everything that became known, or happens, after a day.

What is seen at that day must not move: not a feature, not a score, not a list. Rows known later are
shuffled, deleted and added, earlier ones are "corrected" later, and dates inside them that lie
ahead are moved or taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from features.panel import HAPPENS_ON, REVEALED_BY, History, Rows
from features.schema import Column, register

__all__ = ["scrambled", "scrambled_history"]

FAR = 4000
Tables = Mapping[str, pd.DataFrame]


def scrambled_history(history: History, day: date, rng: np.random.Generator) -> History:
    """The same history up to ``day``, and another one after it."""
    tables = scrambled({name: rows.frame for name, rows in history.rows.items()}, day, rng)
    key = {name: register().tables[name].key for name in tables}
    return replace(history, rows={n: Rows.build(frame, key[n]) for n, frame in tables.items()})


def scrambled(tables: Tables, day: date, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Replace, shuffle, delete and add what became known, or happens, after ``day``."""
    return {name: _table(name, frame, day, rng) for name, frame in tables.items()}


def _table(name: str, frame: pd.DataFrame, day: date, rng: np.random.Generator) -> pd.DataFrame:
    moment = pd.Timestamp(day)
    settled = (frame["known_on"] <= moment).to_numpy()
    happens = HAPPENS_ON.get(name)
    if happens in frame:
        settled = settled & (frame[happens] <= moment).to_numpy()
    early, late = frame[settled].copy(), frame[~settled]
    _redate(name, early, moment, rng)
    late = _shuffled(name, late[rng.random(len(late)) < 0.6], moment, rng)
    corrections = _shuffled(name, early[rng.random(len(early)) < 0.5], moment, rng)
    corrections["known_on"] = _days_after(moment, len(corrections), rng)
    gone = rng.random(len(corrections)) < 0.3
    corrections["withdrawn"] = gone.astype("float64")
    strangers = _shuffled(name, frame[rng.random(len(frame)) < 0.5], moment, rng)
    who = "firm_id" if "firm_id" in strangers else "district"
    strangers[who] = [f"Z{rng.integers(1 << 40):x}" for _ in range(len(strangers))]
    strangers["known_on"] = _days_after(moment, len(strangers), rng)
    early = early if "seq" in early else early.assign(seq=1)
    last = int(early["seq"].max()) if len(early) else 0
    later = (late, corrections, strangers)
    parts = [early, *(part.assign(seq=last + i) for i, part in enumerate(later, 1))]
    whole = pd.concat(parts, ignore_index=True)
    return whole.sample(frac=1.0, random_state=int(rng.integers(1 << 31))).reset_index(drop=True)


def _redate(name: str, early: pd.DataFrame, moment: pd.Timestamp, rng: np.random.Generator) -> None:
    """Dates inside earlier rows that lie after the day: other days after it, or none.

    What such a date reveals goes with it; a row without the date may as well get one.
    """
    for column in _dates(name, early):
        revealed = REVEALED_BY.get(name, {}).get(column, {})
        told = {c: before for c, before in revealed.items() if c in early}
        ahead = (early[column] > moment).to_numpy()
        early.loc[ahead, column] = _days_after(moment, int(ahead.sum()), rng, 0.4)
        for other, before in told.items():
            none = ahead & early[column].isna().to_numpy()
            early.loc[none & early[other].notna().to_numpy(), other] = before
        plain = early[column].isna().to_numpy()
        for other, before in told.items():
            # A firm that stood reformed, undated, cannot be reformed again.
            plain = plain & (early[other].isna() | (early[other] == before)).to_numpy()
        fated = plain & (rng.random(len(early)) < 0.3)
        early.loc[fated, column] = _days_after(moment, int(fated.sum()), rng)
        for other in told:
            known = fated & early[other].notna().to_numpy()
            early.loc[known, other] = (
                early[other]
                .dropna()
                .sample(int(known.sum()), replace=True, random_state=int(rng.integers(1 << 31)))
                .to_numpy()
                if known.any()
                else early.loc[known, other]
            )


def _dates(name: str, frame: pd.DataFrame) -> list[str]:
    def ahead(spec: Column) -> bool:
        return spec.dtype == "date" and not spec.future and not spec.key and spec.name in frame

    return [spec.name for spec in register().tables[name].columns.values() if ahead(spec)]


def _days_after(
    moment: pd.Timestamp, n: int, rng: np.random.Generator, missing: float = 0.0
) -> np.ndarray:
    days = moment.to_datetime64().astype("datetime64[D]") + rng.integers(1, FAR, n)
    days = days.astype("datetime64[s]")
    days[rng.random(n) < missing] = np.datetime64("NaT")
    return np.asarray(days)


def _shuffled(
    name: str, rows: pd.DataFrame, moment: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """The same keys with each other's values, numbers stretched."""
    rows = rows.copy()
    clocks = {"known_on", "known_inferred", "seq"}
    for column in rows.columns.difference([*register().tables[name].key, *clocks]):
        rows[column] = rows[column].to_numpy()[rng.permutation(len(rows))]
        if rows[column].dtype.kind == "f":
            rows[column] *= rng.choice([0.0, 0.3, 1.0, 7.0], len(rows))
    late = (rows["known_on"] > moment).to_numpy()
    rows.loc[late, "known_on"] = _days_after(moment, int(late.sum()), rng)
    return rows
