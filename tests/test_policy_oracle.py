"""The verdict engine against a second reading of the documents, firm by firm and day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from law_oracle import windows
from law_oracle.entry import MEASURES, SIZES, size_class
from law_oracle.readings import PURPOSES, readings
from law_oracle.windows import Award, Record, Title
from oracle_compare import Tally, batch, compare, overruled
from oracle_firms import firm
from oracle_mutants import unseen
from plan_panels import EVERYTHING, panel_of

from policy.inputs import of_panel
from policy.loading import standing
from policy.sizes import size_range
from policy.values import Inputs, Values
from tidu.errors import NotFound

FIRMS = {"63-2022/annex3": 6000, "bse-listing/2.1": 4000, "neeq-2023/base": 6000}
"""Some routes of these are narrow; of other editions fewer firms see every number."""
PARAMETERS = {"municipal_score_line": 50}
"""Numbers that the city sets, as the package proposes them."""
READINGS = readings(PARAMETERS)

SAME_LAW = {
    "innovation: without revenue below 10000.0",
    "innovation: revenue below 10000.01",
    "finance: without net_profit_lower_before above 0.0",
    "finance: net_profit_lower_before above -0.01",
    "finance: net_profit_lower_before above 0.01",
}
"""Moved numbers that say the same: with 10 000 of revenue 3 % is enough, 6 % as well; less than 600
in one year and 800 in two is more than nothing in the other."""


@cache
def drawn(edition: str) -> list[dict[str, Any]]:
    rng = np.random.default_rng(20260630)
    return [firm(rng, READINGS[edition]) for _ in range(FIRMS.get(edition, 2000))]


@cache
def tally(edition: str) -> Tally:
    return compare(standing(), edition, READINGS[edition], drawn(edition))


def test_the_parameters_are_those_of_the_package() -> None:
    assert {name: standing().number(name) for name in PARAMETERS} == PARAMETERS


@pytest.mark.parametrize("edition", READINGS)
def test_both_readings_agree_on_every_criterion_score_and_tier(edition: str) -> None:
    found = tally(edition)
    shown = [(name, engine, oracle, dict(f)) for name, engine, oracle, f in found.different[:2]]
    assert not found.different, (len(found.different), shown)


@pytest.mark.parametrize("edition", READINGS)
def test_every_status_of_every_criterion_is_seen(edition: str) -> None:
    seen, names = tally(edition).seen, READINGS[edition].names
    wanted = {*product(names, ("met", "unmet", "unknown")), ("tier", "unmet"), ("tier", "met"),
              ("tier", "met_pending"), ("tier", "not_applicable")}  # fmt: skip
    assert not {pair for pair in wanted if seen[pair] < 3}


@pytest.mark.parametrize("edition", [name for name in READINGS if not name.startswith("city/")])
def test_the_comparison_sees_every_number_that_is_moved(edition: str) -> None:
    law = standing()
    values = Values(law, batch(law, READINGS[edition], drawn(edition)))
    left = set(unseen(law, law.edition(edition), values, PURPOSES)) - SAME_LAW
    assert not left


@pytest.mark.parametrize("edition", READINGS)
def test_no_value_of_a_missing_input_upsets_a_decision(edition: str) -> None:
    """Figures are completed as wholes above; here each input by itself, amounts small to huge."""
    decided, upset = overruled(standing(), edition, READINGS[edition], drawn(edition)[:150])
    assert decided > 500
    assert not upset, upset[:2]


def test_rights_that_are_own_led_and_in_use_are_between_what_every_choice_of_them_gives() -> None:
    """Every three parts of up to four rights, listed: the least and the most that all share."""
    shared: dict[tuple[int, ...], set[int]] = {}
    for whole in range(5):
        parts = [set(p) for k in range(whole + 1) for p in combinations(range(whole), k)]
        for used, own, led in product(parts, parts, parts):
            sizes = (whole, len(used), len(own), len(led))
            shared.setdefault(sizes, set()).add(len(used & own & led))
    names = ("class1_ip", "class1_ip_effective", "class1_ip_self", "class1_ip_top3_owner")
    columns = dict(zip(names, np.array(list(shared), dtype=float).T, strict=True))
    ids = np.array(range(len(shared)), dtype=object)
    found = Values(standing(), Inputs(ids, date(2026, 6, 30), 2025, columns))
    assert found.low("class1_ip_counted").tolist() == [min(n) for n in shared.values()]
    assert found.high("class1_ip_counted").tolist() == [max(n) for n in shared.values()]


# ---------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("industry", SIZES)
def test_size_classes_at_every_bound(industry: str) -> None:
    """All combinations at, below and above the bounds; a missing measure may be any of them."""
    around = {
        MEASURES[m]: [bound + off for bound in limits for off in (-0.01, 0, 0.01)]
        for m, limits in SIZES[industry].items()
    }
    rows = [
        dict(zip(around, values, strict=True))
        for values in product(*([None, *each] for each in around.values()))
    ]
    frame = pd.DataFrame(rows, columns=list(MEASURES.values()), dtype=float)
    low, high = size_range(standing(), frame.assign(industry=industry))
    for row, given in enumerate(rows):
        tries = product(*([v] if v is not None else around[m] for m, v in given.items()))
        classes = [size_class(industry, dict(zip(around, each, strict=True))) for each in tries]
        assert (low[row], high[row]) == (min(classes), max(classes)), given


# ---------------------------------------------------------------------------------- days


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    "tier", ["innovative_sme", "tech_sme", "srdi_municipal", "srdi_provincial", "little_giant"]
)
def test_the_selector_on_every_day_of_eight_years(tier: str, purpose: Any) -> None:
    for n in range((date(2029, 1, 1) - date(2021, 1, 1)).days):
        day = date(2021, 1, 1) + timedelta(days=n)
        wanted = windows.edition(tier, purpose, day)
        try:
            found: str | None = standing().select(tier, day, purpose).id
        except NotFound:
            found = None
        assert found == wanted, day


DAYS = (date(2026, 6, 30), date(2027, 2, 27), date(2027, 2, 28), date(2027, 3, 1),
        date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1), date(2026, 12, 31))  # fmt: skip


def looked_up(
    day: date,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    names: Sequence[str],
    *,
    known: bool,
) -> dict[str, list[bool | None]]:
    """What the engine finds in a panel, by firm in order."""
    ids = sorted({str(row["firm_id"]) for rows in tables.values() for row in rows})
    whole = {"firms": [{"firm_id": i} for i in ids], **tables}
    panel = panel_of(day, whole, EVERYTHING if known else ())
    columns = of_panel(standing(), panel, day.year - 1, names=names).columns
    return {n: [None if np.isnan(v) else bool(v) for v in columns[n]] for n in names}


def records(day: date) -> list[Record]:
    """Events around the day and around three years before it; ended, repaired, exempt or not."""
    before = [windows.months_later(day, -36) + timedelta(days=n) for n in range(-4, 5)]
    close = [day + timedelta(days=n) for n in (-1, 0)]
    ends = [None, *(day + timedelta(days=n) for n in (-1, 0, 1))]
    found = [Record(on) for on in (*before, *close)]
    found += [Record(day - timedelta(days=400), ended_on=e, repaired_on=r)
              for e, r in product(ends, ends)]  # fmt: skip
    return [*found, Record(close[0], exempt=True)]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("day", DAYS)
def test_windows_of_events_on_the_days_around_their_ends(day: date, known: bool) -> None:
    given = records(day)
    kinds = ("abnormal_list", "dishonest_list", "accident_major", "tax_evasion", "data_fraud")
    rows = [
        {"firm_id": f"F{i:03d}", "kind": kind, "on": r.on, "ended_on": r.ended_on,
         "repaired_on": r.repaired_on, "exempt_minor": r.exempt}
        for i, r in enumerate(given) for kind in kinds
    ]  # fmt: skip
    names = [f"open({kind})" for kind in kinds[:2]] + [f"recent({k}, 36)" for k in kinds[2:]]
    for name, found in looked_up(day, {"events": rows}, names, known=known).items():
        wanted = [
            windows.open_state([r], day, known)
            if name.startswith("open")
            else windows.recent([r], 36, day, known)
            for r in given
        ]
        assert found == wanted, [r for r, a, b in zip(given, found, wanted, strict=True) if a != b]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("day", DAYS)
def test_titles_and_bars_to_their_last_day(day: date, known: bool) -> None:
    near = [day + timedelta(days=n) for n in (-1, 0, 1)]
    given = [
        Title(issued, expires, revoked, ban)
        for issued, expires, revoked, ban in product(
            (date(2024, 3, 1), near[0], near[1]), (None, *near), (None, *near), (None, *near)
        )
        if revoked is not None or ban is None
    ]
    rows = [
        {"firm_id": f"F{i:03d}", "tier": "little_giant", "issued_on": t.issued_on,
         "expires_on": t.expires_on, "revoked_on": t.revoked_on, "ban_until": t.ban_until}
        for i, t in enumerate(given)
    ]  # fmt: skip
    names = ("held(little_giant)", "banned()")
    found = looked_up(day, {"titles": rows}, names, known=known)
    assert found[names[0]] == [windows.held([t], day, known) for t in given]
    assert found[names[1]] == [windows.barred([t], day, known) for t in given]


@pytest.mark.parametrize("seed", range(3))
def test_science_awards_by_level_rank_and_date_of_the_certificate(seed: int) -> None:
    rng, day, year = np.random.default_rng(seed), date(2026, 6, 30), 2025
    dates = [None, date(2022, 12, 31), date(2023, 1, 1), date(2025, 12, 31)]
    firms: list[dict[int, Award]] = []
    for _ in range(400):
        stated = {}
        for y in range(year - 3, year + 1):
            if rng.random() < 0.8:
                rank = [None, 1, 3, 4, 5, 6][int(rng.integers(6))]
                level = windows.LEVELS[int(rng.choice(4, p=[0.5, 0.1, 0.2, 0.2]))]
                stated[y] = Award(level, rank, dates[int(rng.integers(4))])
        firms.append(stated)
    rows = [
        {"firm_id": f"F{i:03d}", "year": y, "revenue": 1.0, "st_award_level": a.level,
         "st_award_rank": a.rank, "st_award_date": a.on}
        for i, stated in enumerate(firms) for y, a in stated.items()
    ]  # fmt: skip
    rows += [{"firm_id": f"F{i:03d}", "year": 2019, "revenue": 1.0} for i in range(len(firms))]
    for level, rank in (("prov", 0), ("prov", 3), ("nat", 5), ("nat", 3)):
        name = f"award({level}, {rank}, 3)"
        found = looked_up(day, {"annual": rows}, [name], known=True)[name]
        wanted = [windows.award(stated, level, rank, year) for stated in firms]
        assert found == wanted
