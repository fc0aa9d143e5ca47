"""Reports as they reach the city: late, absent, with gaps, now and then corrected.

Whether a report comes at all is decided by the state before its year, so that a missing end of a
growth window says nothing about that growth. Lateness and gaps follow what the firm would rather
not show: missing not at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.accounts import statement
from city.parameters import Floats, Stream, score
from city.world import State, View, World

__all__ = ["BLOCKS", "annual_table"]

BLOCKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # block of columns left empty together, and the quality whose lack makes that likelier
    "innovation": ("innovation", (
        "class1_ip_self", "class1_ip_high_value", "class1_ip_effective", "class2_ip",
        "ip_transferred_in", "standards_joined", "standards_led", "rd_institution_level",
        "rd_invest",
    )),
    "market": ("market", (
        "niche_share_national_pct", "niche_rank_national", "niche_rank_province", "own_brand",
        "trademarks", "supplies_chain_leader", "fills_gap_flag", "main_product_revenue",
    )),
    "balance": ("finance", (
        "current_assets", "noncurrent_assets", "cash", "receivables", "inventories",
        "current_liabilities", "noncurrent_liabilities", "fixed_assets", "intangible_assets",
        "short_term_borrowings", "long_term_borrowings", "payables", "retained_earnings",
    )),
    "people": ("management", ("rd_staff", "tech_staff", "social_security_base")),
    "quality": ("management", (
        "quality_award_level", "smart_factory_level", "digital_level", "iso_cert",
    )),
    "cash": ("finance", ("operating_cash_flow", "depreciation", "interest_expense")),
}
UNITS_OF_MONEY = frozenset({
    "share_capital", "net_assets_per_share", "years_in_niche", "niche_share_national_pct",
    "niche_rank_national", "niche_rank_province",
})


@dataclass(frozen=True, slots=True)
class Filed:
    """Who files the report of a year, and when it becomes known."""

    rows: NDArray[np.int64]
    known_on: NDArray[np.datetime64]


def annual_table(
    world: World,
    states: Sequence[State],
    ended_on: NDArray[np.datetime64],
    ids: NDArray[np.str_],
    stream_of: Mapping[int, Stream],
) -> pd.DataFrame:
    """Return ``annual`` with ``known_on``; a corrected firm-year has two rows."""
    p = world.parameters
    first = p.whole("time", "first_accounts")
    frames = []
    for before, after in zip(states, states[1:], strict=False):
        if before.year >= first:
            stream = stream_of[before.year]
            filed = _filed(world, before, after, ended_on, stream)
            frame = pd.DataFrame(statement(world, after, filed.rows, stream))
            frame = _with_gaps(world, after, filed.rows, frame, stream)
            frame["audited"] = _audited(world, after, filed.rows, stream)
            frame.insert(0, "firm_id", ids[filed.rows])
            frame.insert(1, "year", np.full(len(frame), float(before.year)))
            frame["known_on"] = filed.known_on.astype("datetime64[s]")
            frames.append(_corrected(world, frame, stream))
    table = pd.concat(frames, ignore_index=True)
    end = pd.Timestamp(f"{p.whole('time', 'last') + 1}-06-30")
    table = table[table["known_on"] <= end]
    table["reporting_basis"], table["currency"] = "parent", "CNY"
    return table.sort_values(["firm_id", "year", "known_on"]).reset_index(drop=True)


def _chance(logit: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def _filed(
    world: World, before: State, after: State, ended_on: NDArray[np.datetime64], stream: Stream
) -> Filed:
    p, rng, n, year = world.parameters, stream("reports"), world.firms, before.year
    absent = rng.random(n) < _chance(score(p.terms("reports", "absent"), View(world, before), n))
    late = rng.random(n) < _chance(score(p.terms("reports", "late"), View(world, after), n))
    due, days = p.raw["reports"]["due"], p.raw["reports"]["late_days"]
    on_time = np.datetime64(f"{year}-12-31") + rng.integers(due[0], due[1] + 1, n)
    delayed = np.datetime64(f"{year + 1}-06-30") + rng.integers(days[0], days[1] + 1, n)
    known = np.where(late, delayed, on_time)
    gone = ~np.isnat(ended_on) & (ended_on <= known)
    rows = np.flatnonzero((world.traits.first_year <= year) & ~absent & ~gone)
    return Filed(rows, known[rows])


def _with_gaps(
    world: World, after: State, rows: NDArray[np.int64], frame: pd.DataFrame, stream: Stream
) -> pd.DataFrame:
    p, view, rng = world.parameters, View(world, after).rows(rows), stream("gaps")
    extra = p.number("reports", "gap_extra")
    for block, (quality, columns) in BLOCKS.items():
        base = p.raw["reports"]["blocks"][block]
        logit = np.log(base / (1 - base)) + extra * ((view[quality] < 0) - 0.5)
        empty = rng.random(len(rows)) < _chance(logit)
        for column in columns:
            frame[column] = frame[column].mask(empty)
    return frame


def _audited(world: World, after: State, rows: NDArray[np.int64], stream: Stream) -> Floats:
    view = View(world, after).rows(rows)
    logit = score(world.parameters.terms("reports", "audited"), view, len(rows))
    return (stream("audited").random(len(rows)) < _chance(logit)).astype(float)


def _corrected(world: World, frame: pd.DataFrame, stream: Stream) -> pd.DataFrame:
    """Let some first reports be off by one factor, and follow them with the right one."""
    r, rng = world.parameters.section("reports"), stream("corrections")
    rows = np.flatnonzero(rng.random(len(frame)) < r["corrected"])
    right = frame.iloc[rows].copy()
    wait = rng.integers(r["correction_days"][0], r["correction_days"][1] + 1, len(rows))
    right["known_on"] = right["known_on"] + pd.to_timedelta(wait, unit="D").as_unit("s")
    factor = np.exp(rng.normal(0, r["correction_sd"], len(rows)))
    money = [
        name
        for name in frame.columns
        if frame[name].dtype == np.float64 and name in _money(frame) and name not in UNITS_OF_MONEY
    ]
    wrong = np.round(frame.loc[frame.index[rows], money].to_numpy() * factor[:, None], 2)
    frame.loc[frame.index[rows], money] = wrong
    return pd.concat([frame, right], ignore_index=True)


def _money(frame: pd.DataFrame) -> frozenset[str]:
    """Name the columns in 万元: those that ``city.accounts`` rounds to two places."""
    start, end = frame.columns.get_loc("revenue"), frame.columns.get_loc("overseas_revenue")
    assert isinstance(start, int)
    assert isinstance(end, int)
    return frozenset(frame.columns[start : end + 1])
