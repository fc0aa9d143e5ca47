"""The table of titles: what was granted, renewed, changed and revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.ladder import REVIEWED_EARLY, Happened
from city.merit import BAN, EARLIER, day_of, edition_of
from city.parameters import Stream
from city.records import Ends, fault_kinds
from city.state import World

__all__ = ["titles_table"]


def titles_table(
    world: World,
    history: Sequence[Happened],
    ends: Ends,
    ids: NDArray[np.str_],
    stream_of: Mapping[int, Stream],
) -> pd.DataFrame:
    """Return ``titles``: one row per grant or renewal, with what came of it."""
    frames = []
    for happened in history:
        for tier, rule in enumerate(world.parameters.ladder):
            for purpose, drawn in (("new", happened.granted), ("review", happened.renewed)):
                rows = np.flatnonzero(drawn[tier])
                frames.append(_granted(world, happened.year, rule, purpose, rows))
    table = pd.concat([f for f in frames if len(f)], ignore_index=True)
    table = _revoked(world, history, table, stream_of)
    table = _changed(world, table, ends, stream_of[history[0].year])
    table.insert(0, "firm_id", ids[table.pop("row").to_numpy()])
    table = table.drop(columns=["window", "level"])
    return table.sort_values(["firm_id", "issued_on", "tier"]).reset_index(drop=True)


def _granted(
    world: World, window: int, rule: Mapping[str, Any], purpose: str, rows: NDArray[np.int64]
) -> pd.DataFrame:
    """Return the titles of one batch; a renewal runs on from the end of the title it renews."""
    from_ = pd.Timestamp(str(day_of(window, int(rule["day"]))))
    early = pd.Timedelta(days=REVIEWED_EARLY if purpose == "review" else 0)
    edition, tier, year = edition_of(world, rule, window), str(rule["name"]), from_.year
    level = [r["name"] for r in world.parameters.ladder].index(tier)
    # A review must be asked for while the batch of the year of expiry is open.
    due = pd.Timestamp(str(day_of(window + 3, int(rule["submit"][1]))))
    return pd.DataFrame(
        {
            "row": rows,
            "window": window,
            "level": level,
            "tier": tier,
            "issued_on": from_ - early,
            "expires_on": from_ + pd.DateOffset(years=3),
            "review_due": due,
            "purpose": purpose,
            "rule_edition": None if edition == EARLIER else edition,
            "batch": f"{year}-{tier}",
            "certificate_no": [f"LZ{year}{level + 1}{row + 1:06d}" for row in rows],
        }
    )


def _revoked(
    world: World,
    history: Sequence[Happened],
    table: pd.DataFrame,
    stream_of: Mapping[int, Stream],
) -> pd.DataFrame:
    """Write on each title that was revoked when, why, and until when its firm may not apply."""
    reasons = np.array([fault["reason"] for fault in _faults(world)])
    newest = {}
    lost: dict[int, tuple[pd.Timestamp, str]] = {}
    for row, window, level, place in zip(
        table["row"], table["window"], table["level"], table.index, strict=True
    ):
        newest[row, level, window] = place
    for happened in history:
        picked = fault_kinds(world, stream_of[happened.year])
        for level, row in zip(*np.nonzero(happened.revoked), strict=True):
            window = next(
                w for w in range(happened.year, happened.year - 4, -1) if (row, level, w) in newest
            )
            day = day_of(happened.year, int(happened.revoked_day[row]))
            lost[newest[row, level, window]] = (pd.Timestamp(str(day)), str(reasons[picked[row]]))
    on = pd.Series(
        {place: day for place, (day, _) in lost.items()},
        dtype="datetime64[s]",
    )
    table["revoked_on"] = on.reindex(table.index)
    table["cancelled_reason"] = pd.Series(
        {place: reason for place, (_, reason) in lost.items()}, dtype="object"
    ).reindex(table.index)
    table["ban_until"] = table["revoked_on"] + pd.DateOffset(years=BAN)
    return table


def _faults(world: World) -> Sequence[Mapping[str, Any]]:
    faults: Sequence[Mapping[str, Any]] = world.parameters.section("revocation")["faults"]
    return faults


def _changed(world: World, table: pd.DataFrame, ends: Ends, stream: Stream) -> pd.DataFrame:
    """Date the first yearly update of each title, and for a few a material change.

    Later updates are not kept: a date that moved on with each would say how long a title lasted.
    """
    p, rng, size = world.parameters.section("updates"), stream("updates"), len(table)
    issued = table["issued_on"]
    month = pd.to_datetime((issued.dt.year + 1).astype("str") + f"-{p['month']:02d}-01")
    update = month + pd.to_timedelta(rng.integers(0, 30, size), unit="D")
    done = rng.random(size) < p["share"]
    change = issued + pd.to_timedelta(rng.integers(20, 3 * 365 - 60, size), unit="D")
    changed = rng.random(size) < p["change_share"]
    kinds = rng.choice(np.array([k for k, _ in p["changes"]]), size, p=[s for _, s in p["changes"]])
    report = change + _days(rng, p["reported_after"], size)
    last = pd.Series(ends.day[table["row"].to_numpy()]).astype("datetime64[s]")
    today = pd.Timestamp(f"{world.parameters.whole('time', 'last') + 1}-06-30")
    stop = pd.concat([last, table["revoked_on"], table["expires_on"]], axis=1).min(axis=1)
    stop = stop.where(stop < today, today)
    changed &= change <= stop
    table["updated_on"] = update.where(done & (update <= stop) & (update > issued))
    table["material_change_on"] = change.where(changed)
    table["material_change_kind"] = pd.Series(kinds, dtype="object").where(changed)
    table["material_change_reported_on"] = report.where(changed & (report <= stop))
    return table


def _days(rng: np.random.Generator, bounds: Sequence[int], size: int) -> pd.TimedeltaIndex:
    first, last = bounds
    return pd.to_timedelta(rng.integers(first, last + 1, size), unit="D")
