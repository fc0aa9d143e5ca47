"""Reports as they reach the city: late, absent, with gaps, in a wrong unit, some put right later.

Whether a report comes at all is decided by the state before its year, so that a missing end of a
growth window says nothing about that growth. Lateness and gaps follow what the firm would rather
not show: missing not at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.accounts import MONEY, statement
from city.basis import Basis, basis_of, consolidated, restated
from city.parameters import Floats, Stream, score, sigmoid
from city.state import State, View, World

__all__ = ["BLOCKS", "annual_tables"]

BLOCKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # block of columns left empty together, and the quality whose lack makes that likelier
    "innovation": (
        "innovation",
        (
            "class1_ip_self",
            "class1_ip_high_value",
            "class1_ip_effective",
            "class1_ip_top3_owner",
            "class2_ip",
            "class2_ip_any",
            "ip_transferred_in",
            "invention_patents_applied",
            "standards_joined",
            "standards_led",
            "standards_led_5y",
            "rd_institution_level",
            "rd_invest",
        ),
    ),
    "market": (
        "market",
        (
            "niche_share_national_pct",
            "niche_rank_national",
            "niche_rank_global",
            "niche_rank_province",
            "own_brand",
            "time_honored_brand",
            "trademarks",
            "supplies_chain_leader",
            "fills_gap_flag",
            "main_product_revenue",
        ),
    ),
    "balance": (
        "finance",
        (
            "current_assets",
            "noncurrent_assets",
            "cash",
            "receivables",
            "inventories",
            "current_liabilities",
            "noncurrent_liabilities",
            "fixed_assets",
            "intangible_assets",
            "short_term_borrowings",
            "long_term_borrowings",
            "payables",
            "retained_earnings",
        ),
    ),
    "people": ("management", ("rd_staff", "tech_staff", "social_security_base")),
    "quality": (
        "management",
        (
            "quality_award_level",
            "smart_factory_level",
            "digital_level",
            "iso_cert",
        ),
    ),
    "cash": ("finance", ("operating_cash_flow", "depreciation", "interest_expense")),
}


@dataclass(frozen=True, slots=True)
class Filed:
    """Who files the report of a year, and when it becomes known."""

    rows: NDArray[np.int64]
    known_on: NDArray[np.datetime64]


def annual_tables(
    world: World,
    states: Sequence[State],
    ended_on: NDArray[np.datetime64],
    ids: NDArray[np.str_],
    streams: tuple[Stream, Mapping[int, Stream]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ``annual`` as first reported, and its corrections, both with ``known_on``.

    ``streams`` are that of the whole city and those of its years.
    """
    whole, stream_of = streams
    basis = basis_of(world, whole)
    first = world.parameters.whole("time", "first_accounts")
    sound: list[pd.DataFrame] = []
    wrong: list[pd.DataFrame] = []
    right: list[pd.DataFrame] = []
    for before, after in pairwise(states):
        if before.year >= first:
            stream = stream_of[before.year]
            filed = _filed(world, before, after, ended_on, stream)
            frame = _statements(world, after, filed, basis, stream)
            frame.insert(0, "firm_id", ids[filed.rows])
            frame.insert(1, "year", np.full(len(frame), float(before.year)))
            frame["known_on"] = filed.known_on.astype("datetime64[s]")
            new = np.flatnonzero(basis.restates & (basis.since == before.year))
            if sound and len(new):
                factor = pd.Series(basis.factor[new], index=ids[new])
                right.append(restated(sound[-1], frame, factor))
            sound.append(frame)
            first_report, correction = _corrected(world, frame.copy(), stream)
            wrong.append(first_report)
            right.append(correction)
    end = pd.Timestamp(f"{world.parameters.whole('time', 'last') + 1}-06-30")
    return _whole(wrong, end), _whole(right, end)


def _statements(
    world: World, after: State, filed: Filed, basis: Basis, stream: Stream
) -> pd.DataFrame:
    """Return what the firms of ``filed`` would report if nothing went wrong."""
    frame = pd.DataFrame(statement(world, after, filed.rows, stream))
    frame = frame.assign(reporting_basis="parent", currency="CNY")
    group = basis.group_in(after.year - 1, filed.rows)
    frame = consolidated(frame, group, basis.factor[filed.rows])
    frame = _with_gaps(world, after, filed.rows, frame, stream)
    frame["audited"] = _audited(world, after, filed.rows, stream)
    frame["audit_opinion"] = _opinion(world, after, filed.rows, frame["audited"])
    return frame


def _whole(frames: list[pd.DataFrame], end: pd.Timestamp) -> pd.DataFrame:
    """Stack the years without what is not yet known; of two that put a year right, the later."""
    table = pd.concat(frames, ignore_index=True)
    table = table[table["known_on"] <= end].sort_values(["firm_id", "year", "known_on"])
    return table.drop_duplicates(["firm_id", "year"], keep="last").reset_index(drop=True)


def _filed(
    world: World, before: State, after: State, ended_on: NDArray[np.datetime64], stream: Stream
) -> Filed:
    p, rng, n, year = world.parameters, stream("reports"), world.firms, before.year
    absent = rng.random(n) < sigmoid(score(p.terms("reports", "absent"), View(world, before), n))
    late = rng.random(n) < sigmoid(score(p.terms("reports", "late"), View(world, after), n))
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
        empty = rng.random(len(rows)) < sigmoid(logit)
        for column in columns:
            frame[column] = frame[column].mask(empty)
    return frame


def _audited(world: World, after: State, rows: NDArray[np.int64], stream: Stream) -> Floats:
    view = View(world, after).rows(rows)
    logit = score(world.parameters.terms("reports", "audited"), view, len(rows))
    return (stream("audited").random(len(rows)) < sigmoid(logit)).astype(float)


def _opinion(world: World, after: State, rows: NDArray[np.int64], audited: pd.Series) -> pd.Series:
    """An audit of a firm in poor financial health ends qualified."""
    sound = View(world, after).rows(rows)["finance"] > world.parameters.number(
        "reports", "unqualified"
    )
    opinion = pd.Series(np.where(sound, "unqualified", "qualified"), dtype="str")
    return opinion.where(audited.to_numpy() == 1)


def _corrected(
    world: World, frame: pd.DataFrame, stream: Stream
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let some first reports be off by one factor, and follow them with the right one.

    Some are in another unit (元 or 亿元 where 万元 is asked for): not all of these are put right.
    """
    r, n = world.parameters.section("reports"), len(frame)
    rng, slips = stream("corrections"), stream("slips")
    off = rng.random(n) < r["corrected"]
    slipped = (slips.random(n) < r["slipped"]) & ~off
    factor = np.where(off, np.exp(rng.normal(0, r["correction_sd"], n)), 1.0)
    unit = np.where(slips.random(n) < r["slipped_up"], 1e4, 1e-4)
    factor = np.where(slipped, unit, factor)
    right = frame[off | (slipped & (slips.random(n) < r["slips_corrected"]))].copy()
    wait = rng.integers(r["correction_days"][0], r["correction_days"][1] + 1, len(right))
    right["known_on"] = right["known_on"] + pd.to_timedelta(wait, unit="D").as_unit("s")
    money, rows = sorted(MONEY), np.flatnonzero(factor != 1.0)
    values = frame.loc[frame.index[rows], money].to_numpy() * factor[rows][:, None]
    # 亿元 are written with as many places as it takes.
    fine = (factor[rows] < 1e-3)[:, None]
    frame.loc[frame.index[rows], money] = np.where(fine, np.round(values, 6), np.round(values, 2))
    return frame, right
