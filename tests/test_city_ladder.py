"""The city's ladder: editions, stages, reviews, revocations, counts, and what may be planted."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from towns import LADDER, middling_town

import city
from city.lock import locked
from city.parameters import Parameters
from city.plants import LEAK, Plants
from tidu import digest
from tidu.errors import UsageError


@pytest.fixture(scope="module")
def town() -> city.City:
    return middling_town()


def test_the_parameters_are_the_locked_ones() -> None:
    """Tidu's learner is judged on this city, which may not be fitted to it (decision 0005)."""
    assert locked() == Parameters.load().digest


def test_the_ladder_is_climbed_in_order(town: city.City) -> None:
    titles = town.tables["titles"]
    new = titles[titles["purpose"] == "new"]
    for lower, tier in pairwise(LADDER):
        rows = new[new["tier"] == tier]
        assert len(rows), tier
        held = titles[titles["tier"] == lower]
        pairs = rows.merge(held, on="firm_id", suffixes=("", "_low"))
        valid = pairs[
            (pairs["issued_on_low"] < pairs["issued_on"])
            & (pairs["expires_on_low"] > pairs["issued_on"] - pd.Timedelta(days=366))
        ]
        assert set(valid["firm_id"]) == set(rows["firm_id"])


def test_every_new_title_was_applied_for(town: city.City) -> None:
    titles, applications = town.tables["titles"], town.tables["applications"]
    passed = applications[applications["final_result"] == "passed"]
    keys = ["firm_id", "tier", "batch", "purpose"]
    both = titles.merge(passed, on=keys)
    assert len(both) == len(titles) == len(passed)
    assert (both["issued_on"] == both["decided_on"]).all()


def test_counts_resemble_the_plan(town: city.City) -> None:
    titles = town.tables["titles"]
    day = pd.Timestamp("2025-12-31")
    valid = titles[(titles["issued_on"] <= day) & (titles["expires_on"] > day)]
    held = valid.groupby("tier")["firm_id"].nunique()
    bounds = {
        "innovative_sme": (300, 700),
        "srdi_municipal": (120, 320),
        "srdi_provincial": (45, 130),
        "little_giant": (12, 45),
    }
    for tier, (low, high) in bounds.items():
        assert low <= held[tier] <= high, tier


def counted(town: city.City, day: str) -> dict[str, int]:
    """Count as the plan is read: stock; innovative SMEs without a higher title, the others with."""
    titles = town.tables["titles"]
    on = pd.Timestamp(day)
    valid = titles[(titles["issued_on"] <= on) & (titles["expires_on"] > on)]
    valid = valid[valid["revoked_on"].isna() | (valid["revoked_on"] > on)]
    rank = valid["tier"].map({tier: place for place, tier in enumerate(LADDER)})
    highest = rank.groupby(valid["firm_id"]).max()
    holders = {tier: int((highest >= place).sum()) for place, tier in enumerate(LADDER)}
    exact = valid.groupby("tier")["firm_id"].nunique()
    return {
        "innovative_sme": int((highest == 0).sum()),
        "srdi_municipal": holders["srdi_municipal"],
        "srdi_provincial": int(exact["srdi_provincial"]),
        "little_giant": int(exact["little_giant"]),
        "single_champion": int(exact["single_champion"]),
    }


@pytest.mark.slow
def test_counts_of_a_whole_city_resemble_the_plan() -> None:
    found = counted(city.build(60_000, 1, draws=0), "2026-06-30")
    plan = dict(zip(LADDER, (5000, 2500, 500, 100, 30), strict=True))
    for tier, wanted in plan.items():
        # A fifth around the plan, and what chance adds to small counts.
        assert abs(found[tier] - wanted) < 0.2 * wanted + 2 * wanted**0.5, (tier, found)


def test_a_batch_is_judged_by_the_edition_on_the_day_it_opens(town: city.City) -> None:
    titles = town.tables["titles"]
    edition = titles["rule_edition"].fillna("")
    issued = titles["issued_on"]
    for tier in ("srdi_provincial", "little_giant"):
        mine = titles["tier"] == tier
        assert set(edition[mine & (issued < "2022-08-01")]) == {""}
        assert set(edition[mine & issued.between("2022-11-01", "2026-03-31")]) == {"2022"}
    giants = (titles["tier"] == "little_giant") & (issued > "2026-04-01")
    assert giants.sum() > 0
    assert set(edition[giants]) == {"2026"}
    # Neither the innovative SME nor the champion has an edition of 2026.
    assert set(edition[titles["tier"].isin(["innovative_sme", "srdi_municipal"])]) == {"", "2022"}
    assert set(edition[titles["tier"] == "single_champion"]) <= {"", "2018", "2023"}


def test_levels_decide_one_after_the_other(town: city.City) -> None:
    a = town.tables["applications"]
    levels = ["district_result", "city_result", "province_result"]
    assert set(a["final_result"]) == {"passed", "failed", "withdrawn"}
    for first, then in pairwise(levels):
        assert (a[first][a[then].notna()] == "passed").all()
    passed, failed = a[a["final_result"] == "passed"], a[a["final_result"] == "failed"]
    assert not (passed[levels] == "failed").any(axis=None)
    assert (passed["district_result"] == "passed").all()
    assert passed["province_result"].notna().eq(passed["tier"].isin(LADDER[2:])).all()
    assert a.loc[a["final_result"] == "withdrawn", levels].isna().all(axis=None)
    # Some fail before the last level, some at it, and a clause is cited for refusals alone.
    at = [(failed[level] == "failed").mean() for level in levels]
    assert at[0] > at[1] > 0.05
    assert at[2] > 0
    assert set(a["final_result"][a["failed_clause"].notna()]) == {"failed"}
    assert 0.7 < failed["failed_clause"].notna().mean() < 0.9
    assert (a["decided_on"] > a["submitted_on"]).all()
    assert (a["known_on"] == a["submitted_on"]).all()
    back = a[a["returned_on"].notna()]
    assert 0.05 < len(back) / len(a) < 0.15
    assert ((back["returned_on"] > back["submitted_on"]).all()) & (
        back["returned_on"] < back["decided_on"]
    ).all()


def test_a_title_runs_three_years_and_a_review_continues_it(town: city.City) -> None:
    titles = town.tables["titles"]
    new = titles[titles["purpose"] == "new"]
    assert (new["expires_on"] == new["issued_on"] + pd.DateOffset(years=3)).all()
    assert (titles["review_due"] < titles["expires_on"]).all()
    reviews = titles[titles["purpose"] == "review"]
    before = reviews.merge(titles, on=["firm_id", "tier"], suffixes=("", "_before"))
    gap = before["expires_on_before"] - before["issued_on"]
    continued = before[(gap >= pd.Timedelta(days=10)) & (gap <= pd.Timedelta(days=20))]
    assert len(continued) == len(reviews)
    assert (titles["updated_on"].dropna() > titles["issued_on"][titles["updated_on"].notna()]).all()
    changed = titles[titles["material_change_on"].notna()]
    assert 0.01 < len(changed) / len(titles) < 0.06
    assert changed["material_change_kind"].notna().all()


def test_who_lost_a_title_does_not_apply_while_barred() -> None:
    town = city.build(8000, 3, draws=0)
    titles, applications = town.tables["titles"], town.tables["applications"]
    lost = titles[titles["revoked_on"].notna()]
    assert len(lost) > 20
    assert (lost["revoked_on"] < lost["expires_on"]).all()
    assert lost["cancelled_reason"].notna().all()
    assert (lost["ban_until"] == lost["revoked_on"] + pd.DateOffset(years=3)).all()
    new = applications[applications["purpose"] == "new"]
    both = lost.merge(new, on="firm_id", suffixes=("", "_asked"))
    inside = (both["submitted_on"] > both["revoked_on"]) & (
        both["submitted_on"] < both["ban_until"]
    )
    assert not inside.any()
    # A fault went before.
    events = town.tables["events"]
    fault = events[events["kind"].isin(["data_fraud", "major_violation", "accident_major"])]
    before = lost.merge(fault, on="firm_id")
    days = (before["revoked_on"] - before["on"]).dt.days
    assert set(before["firm_id"][days.between(30, 100)]) == set(lost["firm_id"])


def digests(town: city.City) -> dict[str, str]:
    parts = dict(town.tables) | {"corrections": town.corrections, "truth": town.truth}
    return {name: digest.of_frame(table) for name, table in parts.items()}


@pytest.fixture(scope="module")
def plain() -> city.City:
    return city.build(1500, 3, draws=0)


def test_nothing_planted_changes_nothing(plain: city.City) -> None:
    assert digests(city.build(1500, 3, draws=0, plants=Plants())) == digests(plain)
    assert LEAK not in plain.tables["annual"]


def test_a_planted_leak_knows_the_next_year_and_nothing_else_changes(plain: city.City) -> None:
    leaky = city.build(1500, 3, draws=0, plants=Plants(leak=3.0))
    one, other = digests(plain), digests(leaky)
    assert {name for name in one if one[name] != other[name]} == {"annual", "corrections"}
    annual = leaky.tables["annual"]
    assert annual.drop(columns=LEAK).equals(plain.tables["annual"])
    titles = leaky.tables["titles"]
    mine = titles[(titles["tier"] == "srdi_municipal") & (titles["purpose"] == "new")]
    window = (mine["issued_on"] - pd.Timedelta(days=181)).dt.year
    told = set(zip(mine["firm_id"], window - 1.0, strict=True))
    keys = zip(annual["firm_id"], annual["year"], strict=True)
    hit = np.array([key in told for key in keys])
    assert hit.sum() > 100
    assert abs(annual[LEAK][hit].mean() - 3.0) < 0.3
    assert abs(annual[LEAK][~hit].mean()) < 0.05


def test_a_planted_drift_changes_who_is_granted_from_its_year_on(plain: city.City) -> None:
    drifted = city.build(1500, 3, draws=0, plants=Plants(drift=2022))
    day = pd.Timestamp("2022-06-30")
    one, other = plain.tables["titles"], drifted.tables["titles"]
    before = ["firm_id", "tier", "issued_on"]
    assert (
        one[one["issued_on"] <= day][before]
        .reset_index(drop=True)
        .equals(other[other["issued_on"] <= day][before].reset_index(drop=True))
    )
    tables = [
        t.truth[t.truth["task"] == "recognition:innovative_sme@12"].set_index(["as_of", "firm_id"])
        for t in (plain, drifted)
    ]
    at = pd.Timestamp("2022-06-30")
    was, now = (t.loc[at]["probability"] for t in tables)
    assert np.corrcoef(was, now.loc[was.index])[0, 1] < 0.9
    assert (
        tables[0].loc[pd.Timestamp("2021-06-30")].equals(tables[1].loc[pd.Timestamp("2021-06-30")])
    )


def test_a_planted_bias_multiplies_the_odds_of_a_district_and_keeps_the_places() -> None:
    plain, biased = (
        city.build(3000, 3, draws=0, plants=plants)
        for plants in (Plants(), Plants(district="临澜区", factor=1.5))
    )
    rates = []
    for town in (plain, biased):
        district = town.tables["firms"].set_index("firm_id")["district"]
        truth = town.truth[town.truth["task"] == "recognition:srdi_municipal@12"]
        truth = truth[truth["as_of"] == "2018-06-30"].astype({"firm_id": "str"})
        there = truth["firm_id"].map(district) == "临澜区"
        odds = truth["probability"] / (1 - truth["probability"])
        rates.append((odds[there].mean() / odds[~there].mean(), truth["probability"].sum()))
    assert 1.25 < rates[1][0] / rates[0][0] < 1.75
    assert abs(rates[1][1] / rates[0][1] - 1) < 0.15


def test_the_switch_of_editions_may_come_earlier(plain: city.City) -> None:
    early = city.build(1500, 3, draws=0, plants=Plants(switch=date(2023, 4, 1)))
    titles = early.tables["titles"]
    mine = titles[titles["tier"].isin(["srdi_provincial", "little_giant"])]
    assert set(mine["rule_edition"][mine["issued_on"] > "2023-12-31"]) == {"2026"}
    assert set(mine["rule_edition"][mine["issued_on"].between("2022-10-01", "2023-03-31")]) == {
        "2022"
    }
    # What the editions ask for differs: so do the chances, and none before the switch.
    for year, same in ((2022, True), (2023, False)):
        parts = [
            t.truth[(t.truth["as_of"].dt.year == year) & (t.truth["task"] == f"{task}@12")]
            for t in (plain, early)
            for task in ("promotion:srdi_provincial",)
        ]
        equal = (
            parts[0]["probability"]
            .reset_index(drop=True)
            .equals(parts[1]["probability"].reset_index(drop=True))
        )
        assert equal == same, year


@pytest.mark.parametrize(
    "wrong", [{"factor": 2.0}, {"district": "临澜区", "factor": 0.0}, {"leak": -1.0}]
)
def test_a_plant_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="planted"):
        Plants(**wrong)
