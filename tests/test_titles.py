"""Cohorts and labels of titles on hand-made panels, at the days on which they turn."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from made_rows import rows_of_tables

from features.mapping import Coverage
from features.panel import History, Rows
from features.profile import observe
from model.examples import Cohort, cohort_at
from model.labels import supported
from model.tasks import find
from policy.eligibility import gates
from policy.loading import standing
from tidu.errors import NotAvailable, UsageError

DAY, END = date(2024, 6, 30), date(2025, 6, 30)
TIERS = ("innovative_sme", "srdi_municipal", "srdi_provincial", "little_giant", "single_champion")
ALL = tuple(f"{what}:{tier}" for what in ("title", "application") for tier in TIERS)
Row = dict[str, object]


def history(
    firms: str,
    coverage: tuple[str, ...] = ALL,
    until: date = date(2030, 12, 31),
    **tables: list[Row],
) -> History:
    """Firms by name, each with small accounts of 2023 to 2025, and what befell them."""
    annual = [
        {"firm_id": f, "year": y, "revenue": 900.0, "employees": 40.0, "known_on": f"{y + 1}-04-30"}
        for f in firms.split()
        for y in (2023, 2024, 2025)
    ]
    records = [
        {"firm_id": f, "industry_300": "industry", "known_on": "2015-01-01"} for f in firms.split()
    ]
    rows = rows_of_tables(firms=records, annual=annual, **tables)
    covered = tuple(Coverage(kind, date(2010, 1, 1), until) for kind in coverage)
    return History("0" * 64, rows, (), covered, (), None)


def title(firm: str, tier: str, on: str, until: str | None = None, **more: object) -> Row:
    known = {"known_on": on, "expires_on": until, "purpose": "new"}
    return {"firm_id": firm, "tier": tier, "issued_on": on, **known, **more}


def applied(firm: str, tier: str, on: str, decided: str | None = None, **more: object) -> Row:
    plain = {"batch": on[:4], "purpose": "new", "known_on": on, "decided_on": decided}
    result = {"final_result": "failed" if decided else None}
    return {"firm_id": firm, "tier": tier, "submitted_on": on, **plain, **result, **more}


def members(seen: History, task: str, day: date = DAY) -> set[str]:
    return set(cohort_at(seen, find(task, ()), day).firm_ids)


def labels(seen: History, task: str, day: date = DAY, by: date = END) -> dict[str, float]:
    part: Cohort = cohort_at(seen, find(task, ()), day, seen.as_of(by))
    return dict(zip(part.firm_ids, part.label, strict=True))


def known(found: dict[str, float]) -> dict[str, float]:
    return {firm: value for firm, value in found.items() if not np.isnan(value)}


# Who may be asked about


def test_a_valid_title_of_the_step_below_is_asked_for() -> None:
    seen = history(
        "none last gone revoked later high",
        titles=[
            title("last", "srdi_provincial", "2021-06-30", "2024-06-30"),
            title("gone", "srdi_provincial", "2021-06-29", "2024-06-29"),
            title(
                "revoked", "srdi_provincial", "2022-06-30", "2025-06-30", revoked_on="2024-06-30"
            ),
            title("later", "srdi_provincial", "2024-07-01", "2027-07-01"),
            title("high", "srdi_provincial", "2022-06-30", "2025-06-30"),
            title("high", "single_champion", "2024-06-30", "2027-06-30"),
        ],
    )
    assert members(seen, "promotion:little_giant@12") == {"last"}
    assert members(seen, "promotion:innovative_sme@12") == {
        "none", "gone", "revoked", "later",
    }  # fmt: skip
    assert members(seen, "promotion:single_champion@12") == set()


def test_a_step_that_the_data_does_not_cover_is_asked_of_nobody() -> None:
    kinds = tuple(kind for kind in ALL if kind != "title:srdi_provincial")
    seen = history("a b", kinds, titles=[title("b", "little_giant", "2023-06-30", "2026-06-30")])
    assert members(seen, "promotion:little_giant@12") == {"a"}


def test_a_ban_bars_up_to_its_last_day() -> None:
    def ban(firm: str, until: str) -> Row:
        struck = {"revoked_on": "2022-01-01", "ban_until": until}
        return title(firm, "innovative_sme", "2021-01-01", "2024-01-01", **struck)

    seen = history("last over free", titles=[ban("last", "2024-06-30"), ban("over", "2024-06-29")])
    assert members(seen, "promotion:innovative_sme@12") == {"over", "free"}
    assert members(seen, "promotion:innovative_sme@12", date(2024, 7, 1)) == {
        "last",
        "over",
        "free",
    }


def large(seen: History, firm: str, year: int) -> History:
    """The same with one firm far beyond every size class in a year."""
    frame = seen.rows["annual"].frame
    row = (frame["firm_id"] == firm) & (frame["year"] == year)
    frame = frame.assign(
        revenue=frame["revenue"].where(~row, 9e6), employees=frame["employees"].where(~row, 9e4)
    )
    rows = {**seen.rows, "annual": Rows.build(frame, ("firm_id", "year"))}
    return History(seen.head, rows, seen.extras, seen.coverage, seen.defaults, None)


def test_a_large_firm_is_no_sme_by_the_accounts_of_the_batch() -> None:
    seen = large(history("small big"), "big", 2023)
    assert members(seen, "promotion:innovative_sme@12") == {"small"}
    assert members(seen, "promotion:innovative_sme@12", END) == {"small", "big"}
    frame = seen.rows["annual"].frame.assign(known_on=pd.Timestamp("2020-01-01"))
    frame["year"] -= 3
    rows = {**seen.rows, "annual": Rows.build(frame, ("firm_id", "year"))}
    old = History("0" * 64, rows, (), seen.coverage, (), None)
    # Before an edition was in force nothing of the law can be missed.
    assert members(old, "promotion:innovative_sme@12", date(2021, 6, 30)) == {"small", "big"}


def test_a_firm_of_unknown_size_stays() -> None:
    seen = large(history("small big"), "big", 2023)
    frame = seen.rows["annual"].frame
    frame = frame[(frame["firm_id"] != "big") | (frame["year"] != 2023)]
    rows = {**seen.rows, "annual": Rows.build(frame, ("firm_id", "year"))}
    other = History(seen.head, rows, (), seen.coverage, (), None)
    day = date(2025, 4, 30)  # of the batch of 2025: accounts of 2024
    assert members(other, "promotion:innovative_sme@12", day) == {"small", "big"}


def test_a_champion_need_not_be_an_sme() -> None:
    seen = large(
        history("big", titles=[title("big", "little_giant", "2023-06-30", "2026-06-30")]),
        "big",
        2023,
    )
    assert members(seen, "promotion:single_champion@12") == {"big"}


def test_the_edition_in_force_at_the_day_asks_for_its_own_lower_title() -> None:
    """2号 asks a provincial applicant for a valid title of innovative or technology SME."""
    held = [
        title(firm, "srdi_municipal", "2025-01-01", "2028-01-01")
        for firm in ("bare", "both", "tech")
    ]
    held += [
        title("both", "innovative_sme", "2024-01-01", "2027-01-01"),
        title("tech", "tech_sme", "2026-01-01", "2026-12-31"),
    ]
    seen = history("bare both tech", (*ALL, "title:tech_sme"), titles=held)
    task = "promotion:srdi_provincial@12"
    assert members(seen, task, date(2026, 3, 31)) == {"bare", "both", "tech"}
    assert members(seen, task, date(2026, 4, 1)) == {"both", "tech"}
    blind = history("bare both tech", ALL, titles=held)
    assert members(blind, task, date(2026, 4, 1)) == {"bare", "both", "tech"}


def test_gates_are_titles_bans_and_size_alone() -> None:
    law = standing()
    found = {
        edition: [c.id for c in gates(law, law.edition(edition))]
        for edition in ("63-2022/annex3", "2-2026/annex1", "2-2026/annex2", "138-2023/annex1")
    }
    assert found == {
        "63-2022/annex3": ["sme", "not_barred"],
        "2-2026/annex1": ["sme", "not_barred", "lower_title"],
        "2-2026/annex2": ["sme", "not_barred", "lower_title", "not_champion"],
        "138-2023/annex1": ["not_barred"],
    }


# What became of them


def test_a_promotion_is_a_new_title_within_the_window() -> None:
    tier = "innovative_sme"
    seen = history(
        "first last next review idle",
        titles=[
            title("first", tier, "2024-07-01"),
            title("last", tier, "2025-06-30"),
            title("next", tier, "2025-07-01"),
            title("review", tier, "2020-01-01", "2023-01-01"),
            title("review", tier, "2024-07-01", purpose="review"),
        ],
    )
    found = labels(seen, "promotion:innovative_sme@12", by=date(2026, 1, 1))
    assert np.isnan(found.pop("review"))
    assert found == {"first": 1, "last": 1, "next": 0, "idle": 0}
    early = labels(seen, "promotion:innovative_sme@12", by=date(2025, 6, 29))
    assert known(early) == {}


def applications() -> History:
    tier = "innovative_sme"
    return history(
        "first last next open old returned review idle won",
        applications=[
            applied("first", tier, "2024-07-01", "2024-12-01"),
            applied("last", tier, "2025-06-30"),
            applied("next", tier, "2025-07-01"),
            applied("open", tier, "2024-05-01", "2024-08-01"),
            applied("old", tier, "2023-06-30"),
            applied("returned", tier, "2024-02-01", "2024-05-01", final_result="returned"),
            applied("review", tier, "2024-08-01", purpose="review"),
            applied("won", tier, "2024-05-15", "2024-09-01", final_result="passed"),
        ],
        titles=[title("won", tier, "2024-09-01"), title("last", tier, "2025-06-30")],
    )


def test_an_application_is_for_a_new_title_within_the_window() -> None:
    seen = applications()
    found = labels(seen, "application:innovative_sme@12")
    # Of who has an open application the answer is known: open and won are not asked about.
    assert found == {
        "first": 1, "last": 1, "next": 0, "old": 0, "returned": 0, "review": 0, "idle": 0,
    }  # fmt: skip


def test_recognition_is_asked_of_all_and_known_of_those_who_applied() -> None:
    seen = applications()
    found = labels(seen, "recognition:innovative_sme@12")
    assert set(found) == set(members(seen, "promotion:innovative_sme@12"))
    assert known(found) == {"first": 0, "last": 1, "open": 0, "won": 1}


@pytest.mark.parametrize("day", [date(2024, 6, 30), date(2024, 12, 31), date(2025, 3, 1)])
def test_promotion_is_application_times_recognition(day: date) -> None:
    """Firm by firm: promoted if and only if applied (now or before) and then recognised."""
    seen, by = applications(), date(2026, 12, 31)
    promoted = labels(seen, "promotion:innovative_sme@12", day, by)
    applied_ = labels(seen, "application:innovative_sme@12", day, by)
    recognised = labels(seen, "recognition:innovative_sme@12", day, by)
    assert promoted
    for firm, value in promoted.items():
        wished = applied_.get(firm, 1.0)  # not asked about: an application is open
        assert value == (recognised[firm] if wished else 0.0), firm


def test_no_application_is_a_no_only_where_applications_are_covered() -> None:
    seen = history("a", tuple(k for k in ALL if not k.startswith("application")))
    for task in ("application:little_giant", "recognition:little_giant"):
        with pytest.raises(NotAvailable, match="application:little_giant"):
            supported(find(task, ()), seen.as_of(END))
    supported(find("promotion:little_giant", ()), seen.as_of(END))
    assert known(labels(seen, "application:innovative_sme@12")) == {}
    short = history("a", until=date(2025, 6, 29))
    assert known(labels(short, "application:innovative_sme@12")) == {}
    assert known(labels(history("a", until=END), "application:innovative_sme@12")) == {"a": 0}


def test_a_title_that_falls_due_lapses_unless_it_is_issued_again() -> None:
    tier = "little_giant"

    def due(firm: str, until: str | None = "2025-01-31") -> Row:
        return title(firm, tier, "2022-01-31", until)

    seen = history(
        "lapsed renewed anew late eve first last next endless twice struck",
        titles=[
            due("lapsed"),
            due("renewed"), title("renewed", tier, "2025-02-10", "2028-02-10", purpose="review"),
            due("anew"), title("anew", tier, "2025-06-30", "2028-06-30"),
            due("late"), title("late", tier, "2025-07-01", "2028-07-01", purpose="review"),
            due("eve", "2024-06-29"), due("first", "2024-06-30"), due("last", "2025-06-30"),
            due("next", "2025-07-01"), due("endless", None),
            due("twice"), title("twice", tier, "2023-05-01", "2026-05-01", purpose="review"),
            {**due("struck"), "revoked_on": "2024-05-01"},
        ],
    )  # fmt: skip
    found = labels(seen, "lapse:little_giant@12")
    assert found == {"lapsed": 1, "renewed": 0, "anew": 0, "late": 1, "first": 1, "last": 1}


def test_a_holder_that_left_the_city_may_have_been_renewed_elsewhere() -> None:
    seen = history(
        "left stays",
        titles=[title(f, "little_giant", "2022-01-31", "2025-01-31") for f in ("left", "stays")],
    )
    firms = seen.rows["firms"].frame.assign(
        city_out_on=pd.Series(["2024-09-01", None], dtype="datetime64[s]")
    )
    rows = {**seen.rows, "firms": Rows.build(firms, ("firm_id",))}
    moved = History(seen.head, rows, (), seen.coverage, (), None)
    found = labels(moved, "lapse:little_giant@12")
    assert np.isnan(found.pop("left"))
    assert found == {"stays": 1}


def test_the_tasks_of_a_title_have_their_horizon_and_words() -> None:
    assert str(find("application:little_giant", ()).name) == "application:little_giant@12"
    assert find("lapse:little_giant", ()).sense == -1
    assert find("lapse:little_giant", ()).zh == "复核未延续"
    assert find("recognition:little_giant", ()).below == "srdi_provincial"
    assert find("application:little_giant", ()).gone == find("promotion:little_giant", ()).gone
    for text in ("application:little_giant@24", "application", "lapse:gazelle"):
        with pytest.raises(UsageError):
            find(text, ())


def test_an_application_is_in_no_feature() -> None:
    """What the batch itself says of a firm must not drive the chance that it enters the batch."""
    seen = applications()
    bare = History(
        seen.head,
        {k: v for k, v in seen.rows.items() if k != "applications"},
        (),
        seen.coverage,
        (),
        None,
    )
    one, two = observe(seen.as_of(END)), observe(bare.as_of(END))
    assert one.window.facts.keys() == two.window.facts.keys()
    for name, values in one.window.facts.items():
        np.testing.assert_array_equal(values, two.window.facts[name], err_msg=name)
