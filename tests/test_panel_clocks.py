"""The three clocks: what a row speaks of, when it became known, which import brought it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scramble import history
from features.facts import ADVERSE, facts, valid_titles
from features.mapping import Coverage
from features.panel import History, Rows
from features.schema import register

Array = np.ndarray
days = st.dates(date(2018, 1, 1), date(2018, 3, 1))
versions = st.lists(
    st.tuples(
        st.sampled_from("AB"), st.integers(2016, 2017), days, st.integers(1, 4), st.booleans()
    ),
    min_size=1, max_size=15, unique_by=lambda v: (v[0], v[1], v[3]),
)  # fmt: skip


def frame(rows: list[dict[str, object]], table: str) -> pd.DataFrame:
    made = pd.DataFrame(rows)
    for column in made:
        spec = register().tables[table].columns.get(str(column))
        kind = "date" if column == "known_on" else spec.dtype if spec else "float"
        kinds = {"int": "float64", "float": "float64", "bool": "float64", "date": "datetime64[s]"}
        made[column] = made[column].astype(kinds.get(kind, "str"))
    return made.assign(known_inferred=False)


@settings(max_examples=80)
@given(versions, days)
def test_the_newest_known_version_stands(
    rows: list[tuple[str, int, date, int, bool]], day: date
) -> None:
    held = pd.DataFrame(rows, columns=["firm_id", "year", "known_on", "seq", "withdrawn"])
    held["known_on"] = held["known_on"].astype("datetime64[s]")
    held["revenue"] = np.arange(len(rows), dtype=float)
    seen = Rows.build(held, ("firm_id", "year")).as_of(day)
    got = {(r.firm_id, r.year): r.revenue for r in seen.itertuples()}
    expected = {}
    for key in {(f, y) for f, y, *_ in rows}:
        known = [(v[2], v[3], i) for i, v in enumerate(rows) if v[:2] == key and v[2] <= day]
        if known and not rows[max(known)[2]][4]:
            expected[key] = float(max(known)[2])
    assert got == expected


def test_a_day_is_seen_from_its_end() -> None:
    rows = [{"firm_id": "A", "year": 2019, "revenue": 1.0, "known_on": "2020-06-30"}]
    seen = history({"annual": frame(rows, "annual")})
    assert len(seen.as_of(date(2020, 6, 29)).tables["annual"]) == 0
    assert len(seen.as_of(date(2020, 6, 30)).tables["annual"]) == 1


def test_nothing_is_seen_before_it_happens_though_announced() -> None:
    event = {"firm_id": "A", "kind": "listed", "on": "2021-05-01", "known_on": "2021-01-01"}
    seen = history({"events": frame([event], "events")})
    assert len(seen.as_of(date(2021, 4, 30)).tables["events"]) == 0
    assert len(seen.as_of(date(2021, 5, 1)).tables["events"]) == 1


def test_a_title_revoked_later_stands_until_then_and_says_nothing_of_it() -> None:
    title = {
        "firm_id": "A", "tier": "little_giant", "issued_on": "2020-01-01",
        "expires_on": "2023-01-01", "revoked_on": "2021-06-01", "cancelled_reason": "fraud",
        "ban_until": "2024-06-01", "known_on": "2020-01-01",
    }  # fmt: skip
    seen = history({"titles": frame([title], "titles")})
    before = seen.as_of(date(2021, 5, 31))
    row = before.tables["titles"].iloc[0]
    assert row[["revoked_on", "cancelled_reason", "ban_until"]].isna().all()
    assert row["expires_on"] == pd.Timestamp("2023-01-01")  # lies ahead by nature
    assert len(valid_titles(before)) == 1
    after = seen.as_of(date(2021, 6, 1))
    assert after.tables["titles"].iloc[0]["cancelled_reason"] == "fraud"
    assert len(valid_titles(after)) == 0
    assert len(valid_titles(history({"titles": frame([{**title, "revoked_on": None}], "titles")})
                            .as_of(date(2023, 1, 2)))) == 0  # fmt: skip


def test_a_firm_that_will_be_reformed_looks_as_one_that_will_not() -> None:
    """An undated firm record is known always; what a later date in it made so is not."""
    plain = {"known_on": "1900-01-01", "founded_on": "2010-01-01"}
    reform, form = "shareholding_reform_on", "legal_form"
    firms = [
        {"firm_id": "later", form: "joint_stock", reform: "2021-01-01", **plain},
        {"firm_id": "never", form: "limited", reform: None, **plain},
        {"firm_id": "early", form: "joint_stock", reform: "2015-01-01", **plain},
    ]  # fmt: skip
    ids = np.array(["later", "never", "early"], dtype=object)
    seen = history({"firms": frame(firms, "firms")})

    def joint(day: date) -> list[float]:
        return facts(seen.as_of(day), ids)["joint_stock"].tolist()

    assert joint(date(2020, 12, 31)) == [0, 0, 1]
    assert joint(date(2021, 1, 1)) == [1, 0, 1]


def test_a_decision_is_unknown_while_it_is_pending() -> None:
    application = {
        "firm_id": "A", "tier": "little_giant", "batch": "2020-1", "purpose": "new",
        "submitted_on": "2020-03-01", "decided_on": "2020-09-01", "failed_clause": "x",
        "known_on": "2020-03-01",
    }  # fmt: skip
    seen = history({"applications": frame([application], "applications")})
    pending = seen.as_of(date(2020, 8, 31)).tables["applications"].iloc[0]
    assert pending[["decided_on", "failed_clause"]].isna().all()
    assert seen.as_of(date(2020, 9, 1)).tables["applications"].iloc[0]["failed_clause"] == "x"


# Facts: absence is zero only where coverage says so


def with_coverage(seen: History, *covered: Coverage) -> History:
    return History(seen.head, seen.rows, (), covered, (), None)


@pytest.mark.parametrize(("since", "known"), [(date(2018, 1, 1), True), (date(2019, 7, 1), False)])
def test_no_adverse_record_is_zero_only_if_three_years_are_covered(
    since: date, known: bool
) -> None:
    covered = [Coverage(kind, since, date(2030, 1, 1)) for kind in ADVERSE]
    seen = with_coverage(history({}), *covered).as_of(date(2021, 6, 30))
    value = facts(seen, np.array(["A"], dtype=object))["adverse_3y"][0]
    assert (value == 0) if known else np.isnan(value)


def test_repaired_and_exempt_records_stand_nowhere() -> None:
    def penalty(firm: str, **more: object) -> dict[str, object]:
        plain = {"repaired_on": None, "exempt_minor": None, "known_on": "2020-01-01"}
        return {"firm_id": firm, "kind": "penalty", "on": "2020-01-01", **plain, **more}

    events = [
        penalty("plain"), penalty("repaired", repaired_on="2020-06-01"),
        penalty("repaired later", repaired_on="2022-01-01"), penalty("exempt", exempt_minor=1.0),
        penalty("old", on="2017-01-01", known_on="2017-01-01"),
    ]  # fmt: skip
    ids = np.array([str(e["firm_id"]) for e in events], dtype=object)
    seen = history({"events": frame(events, "events")}).as_of(date(2021, 6, 30))
    assert facts(seen, ids)["adverse_3y"].tolist() == [1, 0, 1, 0, 0]


def test_titles_known_to_nobody_yet_are_no_trouble() -> None:
    title = {
        "firm_id": "A",
        "tier": "little_giant",
        "issued_on": "2020-01-01",
        "known_on": "2020-01-01",
    }
    seen = history({"titles": frame([title], "titles")}).as_of(date(2019, 1, 1))
    found = facts(seen, np.array(["A"], dtype=object))
    assert found["tier_held"].tolist() == [0.0]
    assert np.isnan(found["years_in_tier"]).all()
