"""Cohorts and labels: the figures that the real sets are known to hold, and the rules behind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_city import Trained

from features.mapping import Coverage
from features.mapping_build import load_mapping
from features.panel import History, Rows
from features.prepared import prepare
from features.profile import observe, specs_for
from features.schema import register
from features.vault import Vault
from model.examples import Cohort, cohort_at, cohorts, yearly
from model.labels import cohort, fresh, label, supported
from model.tasks import Task, find
from tidu.errors import NotAvailable, UsageError

TODAY = date(2026, 6, 1)
END = date(2026, 6, 1)


def imported(home: Path, root: Path, data: Path, *names: str) -> History:
    files = {
        "kr_delisted": "kr_delisted.csv",
        **{n: f"{n}_firm_year.csv.gz" for n in ("cn_neeq", "kr_listed", "no_hospitality")},
        "es_firm_year": "es_firm_year.csv.gz",
    }
    vault = Vault(home)
    for name in names:
        mapping = load_mapping(root / "examples" / f"{name}.toml")
        vault.add(prepare(data / files[name], mapping, TODAY))
    return vault.at(vault.head)


@pytest.fixture(scope="module")
def korea(tmp_path_factory: pytest.TempPathFactory, root: Path, shared_data: Path) -> History:
    return imported(tmp_path_factory.mktemp("kr"), root, shared_data, "kr_listed", "kr_delisted")


@pytest.fixture(scope="module")
def china(tmp_path_factory: pytest.TempPathFactory, root: Path, shared_data: Path) -> History:
    return imported(tmp_path_factory.mktemp("cn"), root, shared_data, "cn_neeq")


@pytest.fixture(scope="module")
def norway(tmp_path_factory: pytest.TempPathFactory, root: Path, shared_data: Path) -> History:
    return imported(tmp_path_factory.mktemp("no"), root, shared_data, "no_hospitality")


@pytest.fixture(scope="module")
def spain(tmp_path_factory: pytest.TempPathFactory, root: Path, shared_data: Path) -> History:
    return imported(tmp_path_factory.mktemp("es"), root, shared_data, "es_firm_year")


def asked(seen: History, text: str) -> Task:
    return find(text, seen.defaults, outcome_task=seen.outcome_task)


def known(seen: History, text: str, day: date, by: date) -> Cohort:
    part = cohort_at(seen, asked(seen, text), day, seen.as_of(by))
    return part.kept(~np.isnan(part.label))


# What is known of the real sets


@pytest.mark.parametrize(("year", "positives"), [(2021, 35), (2022, 37), (2023, 12)])
def test_listings_in_china(china: History, year: int, positives: int) -> None:
    part = known(china, "listing@24", date(year, 6, 30), END)
    assert part.label.sum() == positives
    before = known(china, "listing@24", date(year, 6, 30), date(year + 2, 6, 29))
    assert len(before.index) == 0  # the window had not closed


def test_nothing_is_known_in_korea_before_mid_2016(korea: History) -> None:
    assert len(korea.as_of(date(2016, 6, 29)).tables["annual"]) == 0
    assert len(korea.as_of(date(2016, 6, 30)).tables["annual"]) > 1000
    assert yearly(date(2019, 6, 30), korea)[-1] == date(2016, 6, 30)


@pytest.mark.parametrize(("months", "first"), [(12, 2017), (24, 2018), (36, 2019)])
def test_growth_labels_in_korea_mature(korea: History, months: int, first: int) -> None:
    start, task = date(2016, 6, 30), f"growth@{months}"
    assert len(known(korea, task, start, date(first, 6, 29)).index) == 0
    assert known(korea, task, start, date(first, 6, 30)).label.sum() >= 30


def korean_rows(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "kr_listed_firm_year.csv.gz")


@pytest.mark.parametrize(("day", "months"), [(2016, 12), (2017, 24), (2017, 36), (2018, 24)])
def test_growth_labels_in_korea_are_those_of_the_file(
    korea: History, shared_data: Path, day: int, months: int
) -> None:
    """Counted from the file's own rows, by plain Python."""
    rows = {(r.firm_id, r.year): r for r in korean_rows(shared_data).itertuples()}
    years, expected = months // 12, {}
    for (firm, year), base in rows.items():
        if year != day - 1 or base.min_lag > 0 or not base.revenue > 1e9:
            continue
        end = rows.get((firm, year + years))
        if end is None or np.isnan(end.revenue) or end.fs_div != base.fs_div:
            continue
        if year + years + 1 + end.min_lag <= 2020:
            high = end.revenue > 0 and (end.revenue / base.revenue) ** (1 / years) >= 1.2
            expected[firm] = float(high)
    part = known(korea, f"growth@{months}", date(day, 6, 30), date(2020, 6, 30))
    got = dict(zip(part.firm_ids, part.label, strict=True))
    assert got.keys() == expected.keys()
    assert [f for f in got if got[f] != expected[f]] == []


def test_distress_in_korea_is_41_delistings_and_no_merger(korea: History) -> None:
    end = date(2020, 12, 31)
    events = korea.as_of(end).tables["events"]
    assert events["kind"].value_counts().to_dict() == {"delisted": 41, "dissolved": 12}
    day = date(2018, 6, 30)
    part = known(korea, "distress@24", day, date(2020, 6, 30))
    window = events[(events["on"] > "2018-06-30") & (events["on"] <= "2020-06-30")]
    delisted = set(window["firm_id"][window["kind"] == "delisted"])
    assert set(part.firm_ids[part.label == 1]) == delisted & set(part.firm_ids)
    assert part.label.sum() > 0
    gone = set(events["firm_id"][events["on"] <= "2018-06-30"])
    assert gone & set(part.seen.firm_ids)
    assert not gone & set(part.firm_ids)


def test_distress_in_korea_needs_a_window_inside_coverage(korea: History) -> None:
    for day, by in ((date(2019, 6, 30), END), (date(2018, 6, 30), date(2020, 6, 29))):
        assert len(known(korea, "distress@24", day, by).index) == 0


# Row-labelled sets


def test_each_norwegian_row_is_one_example_at_one_date(norway: History) -> None:
    task = asked(norway, "distress@12")
    by = date(2020, 6, 30)
    parts = cohorts(norway, task, yearly(by, norway), by)
    rows = [
        (firm, int(year))
        for part in parts
        for firm, year in zip(part.firm_ids, part.seen.window.anchor[part.index], strict=True)
    ]
    outcomes = norway.as_of(by).tables["outcomes"]
    assert len(rows) == len(set(rows)) == 5360 == len(outcomes)
    expected = outcomes.set_index(["firm_id", "year"])["outcome"]
    labels = np.concatenate([part.label for part in parts])
    assert (expected.loc[rows].to_numpy() == labels).all()
    assert cohorts(norway, task, yearly(by, norway), date(2019, 12, 30)) == []


def test_each_spanish_row_is_one_example(spain: History) -> None:
    task = asked(spain, "distress@12")
    by = date(2004, 12, 31)
    parts = cohorts(spain, task, yearly(by, spain), by)
    firms = np.concatenate([part.firm_ids for part in parts])
    assert len(firms) == len(set(firms)) == 2859
    assert sum(part.label.sum() for part in parts) == 62
    groups = np.concatenate([part.groups for part in parts])
    assert len(set(groups)) < len(set(firms))


@pytest.mark.parametrize("name", ["norway", "spain"])
def test_an_outcome_is_in_no_feature_event_or_cohort(
    name: str, request: pytest.FixtureRequest
) -> None:
    seen: History = request.getfixturevalue(name)
    outcome = seen.rows["outcomes"].frame
    other = dict(seen.rows)
    key = register().tables["outcomes"].key
    other["outcomes"] = Rows.build(outcome.assign(outcome=1 - outcome["outcome"]), key)
    turned = History(seen.head, other, seen.extras, seen.coverage, seen.defaults, seen.outcome_task)
    day = max(d for d in yearly(date(2020, 6, 30), seen) if fresh(observe(seen.as_of(d))).any())
    task = asked(seen, "distress@12")
    one, two = observe(seen.as_of(day)), observe(turned.as_of(day))
    assert (cohort(task, one) == cohort(task, two)).all()
    specs = specs_for(one.cube.panel, "distress")
    assert not {"outcome"} & {s for spec in specs for s in spec.expr.sources}
    assert len(one.cube.panel.tables["events"]) == 0
    labels = [label(task, v, h.as_of(date(2020, 6, 30))) for v, h in ((one, seen), (two, turned))]
    np.testing.assert_array_equal(labels[0], 1 - labels[1])


def test_a_row_labelled_set_supports_its_own_task_only(norway: History) -> None:
    with pytest.raises(NotAvailable, match="distress"):
        supported(asked(norway, "growth@12"), norway.as_of(END))


# The rules, on a handful of rows


def made(annual: list[dict[str, object]], **tables: list[dict[str, object]]) -> History:
    rows = {}
    for name, found in {"annual": annual, **tables}.items():
        columns = register().tables[name].columns
        frame = pd.DataFrame(found)
        for column in frame:
            kind = columns[column].dtype if column in columns else "date"
            kinds = {
                "int": "float64",
                "float": "float64",
                "bool": "float64",
                "date": "datetime64[s]",
            }
            frame[column] = frame[column].astype(kinds.get(kind, "str"))
        if "year" in frame:
            frame["year"] = frame["year"].astype("int64")
        frame = frame.assign(known_inferred=False, seq=1)
        rows[name] = Rows.build(frame, register().tables[name].key)
    covered = tuple(
        Coverage(kind, date(2010, 1, 1), date(2030, 12, 31))
        for kind in ("listed", "quoted", "delisted", "title:innovative_sme")
    )
    return History("0" * 64, rows, (), covered, (), None)


def account(firm: str, year: int, revenue: float, **others: object) -> dict[str, object]:
    plain = {"reporting_basis": "consolidated", "currency": "CNY", "known_on": f"{year + 1}-04-30"}
    return {"firm_id": firm, "year": year, "revenue": revenue, **plain, **others}


def growth_of(rows: list[dict[str, object]], by: date) -> dict[str, float]:
    seen = made(rows)
    part = cohort_at(seen, asked(seen, "growth@12"), date(2019, 6, 30), seen.as_of(by))
    return dict(zip(part.firm_ids, part.label, strict=True))


def test_a_growth_label_waits_for_its_window_to_close() -> None:
    rows = [account("A", 2018, 100.0), account("A", 2019, 130.0)]
    assert np.isnan(growth_of(rows, date(2020, 6, 29))["A"])
    assert growth_of(rows, date(2020, 6, 30)) == {"A": 1.0}


def test_growth_is_censored_where_an_end_is_missing_or_on_another_basis() -> None:
    rows = [
        account("up", 2018, 100.0), account("up", 2019, 120.0),
        account("flat", 2018, 100.0), account("flat", 2019, 119.9),
        account("basis", 2018, 100.0), account("basis", 2019, 500.0, reporting_basis="parent"),
        account("money", 2018, 100.0), account("money", 2019, 500.0, currency="KRW"),
        account("gap", 2018, 100.0), account("gap", 2020, 500.0),
        account("none", 2018, 100.0), account("none", 2019, float("nan")),
        account("lost", 2018, 100.0), account("lost", 2019, 0.0),
        account("zero", 2018, 0.0), account("zero", 2019, 10.0),
        account("stale", 2017, 100.0), account("stale", 2019, 500.0),
    ]  # fmt: skip
    found = growth_of(rows, date(2021, 12, 31))
    assert found.keys() == {"up", "flat", "basis", "money", "gap", "none", "lost"}
    assert {f: y for f, y in found.items() if not np.isnan(y)} == {"up": 1, "flat": 0, "lost": 0}


def listing_of(events: list[dict[str, object]], task: str = "listing@24") -> dict[str, float]:
    firms = [str(e["firm_id"]) for e in events]
    seen = made([account(f, 2018, 100.0) for f in {*firms, "idle"}], events=events)
    part = cohort_at(seen, asked(seen, task), date(2019, 6, 30), seen.as_of(date(2021, 6, 30)))
    return dict(zip(part.firm_ids, part.label, strict=True))


def event(firm: str, on: str, board: object, kind: str = "listed") -> dict[str, object]:
    return {"firm_id": firm, "kind": kind, "on": on, "board": board, "known_on": on}


def test_a_listing_is_on_an_exchange_within_the_window() -> None:
    found = listing_of(
        [
            event("bse", "2020-01-01", "bse"),
            event("first day", "2019-07-01", "main"),
            event("last day", "2021-06-30", "star"),
            event("next day", "2021-07-01", "star"),
            event("before", "2019-06-30", "gem"),
            event("regional", "2020-01-01", "regional"),
            event("regional before", "2018-01-01", "regional"),
            event("somewhere", "2020-01-01", None),
        ]
    )
    assert "before" not in found
    assert np.isnan(found.pop("somewhere"))
    assert {f for f, y in found.items() if y == 1} == {"bse", "first day", "last day"}
    assert {f for f, y in found.items() if y == 0} == {
        "next day", "regional", "regional before", "idle",
    }  # fmt: skip


def test_a_quotation_is_on_the_national_board() -> None:
    found = listing_of(
        [
            event("neeq", "2020-01-01", "neeq_base", "quoted"),
            event("regional", "2020-01-01", "regional", "quoted"),
            event("quoted before", "2018-01-01", "neeq_innov", "quoted"),
            event("regional before", "2018-01-01", "regional", "quoted"),
        ],
        "quotation@24",
    )
    assert found == {"neeq": 1, "regional": 0, "regional before": 0, "idle": 0}


def test_without_coverage_no_event_is_not_a_no(korea: History) -> None:
    with pytest.raises(NotAvailable, match="coverage"):
        supported(asked(korea, "listing@24"), korea.as_of(END))


def test_a_row_reported_again_is_still_one_example() -> None:
    """A correction makes accounts young again; its outcome has been learned from already."""
    outcomes = [
        {"firm_id": f, "year": y, "outcome": 0.0, "known_on": f"{y + 1}-12-31"}
        for f, y in (("A", 2018), ("B", 2018), ("B", 2019))
    ]
    first = [account("A", 2018, 1.0), account("B", 2018, 1.0), account("B", 2019, 1.0)]
    history = made(first, outcomes=outcomes)
    later = made([account("A", 2018, 2.0, known_on="2019-09-30")]).rows["annual"].frame
    frame = pd.concat([history.rows["annual"].frame, later.assign(seq=2)])
    again = {**history.rows, "annual": Rows.build(frame, ("firm_id", "year"))}
    labelled = History("0" * 64, again, (), (), (), "distress")
    task = asked(labelled, "distress@12")
    days = [date(2020, 3, 31), date(2019, 6, 30)]
    parts = cohorts(labelled, task, days, date(2021, 12, 31))
    found = [
        (f, int(y))
        for p in parts
        for f, y in zip(p.firm_ids, p.seen.window.anchor[p.index], strict=True)
    ]
    assert len(found) == len(set(found))


# Names


@pytest.mark.parametrize("text", ["growth@18", "growht@12", "distress:fraud@24", "growth 12", ""])
def test_a_task_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        find(text, ())


def test_a_task_is_addressed_by_its_full_name(korea: History) -> None:
    assert str(find("distress:bankruptcy@24", ()).name) == "distress:bankruptcy@24"
    assert str(find("growth", korea.defaults).name) == "growth@24"
    assert str(find("growth", korea.defaults, months=36).name) == "growth@36"
    assert find("growth", korea.defaults).floor == 100000.0
    with pytest.raises(UsageError):
        find("growth@12", korea.defaults, months=24)


def test_a_firm_that_left_the_city_is_unknown_not_a_no(city_home: Trained) -> None:
    """Nobody saw that nothing happened to it; what was seen before it left still counts."""
    vault = Vault(city_home.home)
    history = vault.at(vault.head)
    evidence = history.as_of(date(2026, 6, 30))
    part = cohort_at(history, find("distress@24", history.defaults), date(2020, 6, 30), evidence)
    out = evidence.firms["city_out_on"].reindex(part.firm_ids)
    left = ((out > "2020-06-30") & (out <= "2022-06-30")).to_numpy(dtype=bool)
    assert left.any()
    assert not (part.label[left] == 0).any()
    assert (part.label[~left] == 0).any()
