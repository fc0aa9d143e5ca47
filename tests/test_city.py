"""The synthetic city: the same twice, consistent, and written as its columns say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from towns import END, in_wan, middling_town

import city
from city.files import read_truth, write
from city.names import valid_code
from city.parameters import Factor
from features.schema import register
from tidu import digest
from tidu.errors import UsageError


@pytest.fixture(scope="module")
def town() -> city.City:
    return middling_town()


def frames(one: city.City) -> dict[str, str]:
    parts = dict(one.tables) | {"corrections": one.corrections, "truth": one.truth}
    return {name: digest.of_frame(table) for name, table in parts.items()}


def test_same_seed_gives_the_same_city() -> None:
    assert frames(city.build(300, 5, draws=2)) == frames(city.build(300, 5, draws=2))


def test_another_seed_gives_another_city_in_every_table() -> None:
    one, other = frames(city.build(300, 5, draws=1)), frames(city.build(300, 6, draws=1))
    assert all(one[name] != other[name] for name in one)


def test_continuations_do_not_move_the_city() -> None:
    none, some = city.build(300, 5, draws=0), city.build(300, 5, draws=1)
    one, other = frames(none), frames(some)
    assert {n for n in one if one[n] != other[n]} == {"truth"}
    assert set(none.truth["task"].str[-3:]) == {"@12"}


def test_a_city_needs_firms() -> None:
    with pytest.raises(UsageError, match="between 50 and"):
        city.build(3, 1)


def test_a_factor_of_an_unknown_shape_is_refused() -> None:
    with pytest.raises(UsageError, match="needs one of above"):
        Factor("size", "up", 0.0, 1.0)


def test_every_column_is_in_the_register_with_its_type(town: city.City) -> None:
    for name, table in (*town.tables.items(), ("annual", town.corrections)):
        columns = register().tables[name].columns
        assert set(register().tables[name].key) <= set(table.columns)
        for column in table.columns:
            dtype = "date" if column == "known_on" else columns[column].dtype
            if dtype == "date":
                assert str(table[column].dtype) == "datetime64[s]", column
            elif dtype in ("text", "code", "set"):
                assert str(table[column].dtype) == "str", column
            else:
                assert table[column].dtype == np.float64, column


def test_values_stay_within_bounds_and_codes(town: city.City) -> None:
    for name, table in town.tables.items():
        for column in register().tables[name].columns.values():
            if column.name not in table:
                continue
            values = table[column.name].dropna()
            if column.dtype == "code":
                assert set(values) <= set(column.codes), column.name
            if column.low is not None:
                assert values.min() >= column.low, column.name
            if column.high is not None:
                assert values.max() <= column.high, column.name


def test_keys_stand_once_and_name_a_firm(town: city.City) -> None:
    firms = set(town.tables["firms"]["firm_id"])
    assert len(firms) == town.firms
    for name, table in (*town.tables.items(), ("annual", town.corrections)):
        assert not table.duplicated(list(register().tables[name].key)).any(), name
        if "firm_id" in table:
            assert set(table["firm_id"]) <= firms, name


def test_names_and_credit_codes_are_invented_unique_and_valid(town: city.City) -> None:
    firms = town.tables["firms"]
    assert firms["name"].is_unique
    assert firms["uscc"].is_unique
    assert firms["name"].str.startswith("澜州").all()
    assert all(valid_code(code) for code in firms["uscc"])
    # GB/T 2260 has no province 39: no real firm can bear such a code.
    assert set(firms["uscc"].str[2:4]) == {"39"}


@pytest.mark.parametrize("delivery", ["annual", "corrections"])
def test_accounts_add_up(town: city.City, delivery: str) -> None:
    a = in_wan(town.tables["annual"] if delivery == "annual" else town.corrections)
    near = {"atol": 0.05, "rtol": 0.0, "equal_nan": True}
    assert np.allclose(a["total_assets"], a["total_liabilities"] + a["net_assets"], **near)
    known = a[a["current_assets"].notna()]
    whole = known["current_assets"] + known["noncurrent_assets"]
    assert np.allclose(known["total_assets"], whole, **near)
    owed = known["current_liabilities"] + known["noncurrent_liabilities"]
    assert np.allclose(known["total_liabilities"], owed, **near)
    assert np.allclose(a["revenue"], a["cost_of_sales"] + a["gross_profit"], **near)
    named = known[["cash", "receivables", "inventories"]].sum(axis=1)
    assert (named <= known["current_assets"] + 0.05).all()
    for part, total in (("main_revenue", "revenue"), ("rd_staff", "employees")):
        assert not (a[part] > a[total] + 0.02).any()
    for part, total in (
        ("class2_ip", "class2_ip_any"),
        ("standards_led_5y", "standards_led"),
        ("niche_rank_national", "niche_rank_global"),
    ):
        assert not (a[part] > a[total]).any()
    costs = ["cost_of_sales", "selling_expense", "admin_expense", "financial_expense", "rd_expense"]
    assert (a[costs].sum(axis=1) <= a["cost_expense_total"] + 0.05).all()
    assert (a["net_profit_adj"] <= a["net_profit"] + 0.02).all()
    debt = a["total_liabilities"] / a["total_assets"]
    assert debt.between(0.05, 1.31).all()


def test_nothing_happens_before_founding_or_after_the_end(town: city.City) -> None:
    tables = town.tables
    founded = tables["firms"].set_index("firm_id")["founded_on"]
    events = tables["events"]
    final = events[events["kind"].isin(["bankruptcy", "closure", "dissolved", "relocation"])]
    end = final.set_index("firm_id")["on"]
    assert end.index.is_unique
    days = {
        "titles": "issued_on",
        "events": "on",
        "annual": "known_on",
        "applications": "submitted_on",
    }
    for name, day in days.items():
        table = tables[name]
        on = table[day]
        assert (on > table["firm_id"].map(founded)).all(), name
        assert not (on > table["firm_id"].map(end)).any(), name
        assert on.max() <= END, name


def test_the_first_accounts_are_those_of_the_founding_year_or_the_next(town: city.City) -> None:
    firms, annual = town.tables["firms"], town.tables["annual"]
    first = annual.groupby("firm_id")["year"].min()
    founded = firms.set_index("firm_id")["founded_on"].dt.year
    new = founded[founded >= 2015].index.intersection(first.index)
    assert len(new) > 200
    assert (first[new] >= founded[new]).all()
    assert ((first[new] - founded[new]) <= 1).mean() > 0.9
    assert set(annual["year"]) == set(range(2015, 2026))


def test_reports_come_when_reports_come(town: city.City) -> None:
    annual, corrections = town.tables["annual"], town.corrections
    due = pd.to_datetime((annual["year"] + 1).astype(int).astype(str) + "-06-30")
    late = (annual["known_on"] > due)[annual["year"] < 2025].mean()
    assert 0.03 < late < 0.20
    both = corrections.merge(annual, on=["firm_id", "year"], suffixes=("", "_first"))
    assert len(both) == len(corrections)
    assert (both["known_on"] > both["known_on_first"]).all()
    assert (both["revenue"] != both["revenue_first"]).mean() > 0.9
    # Missing not at random: who has less to show fills in less.
    weak = annual["rd_expense"] / annual["revenue"] < 0.03
    empty = annual["class1_ip_self"].isna()
    assert empty[weak].mean() > empty[~weak].mean() + 0.02


def test_listed_firms_reformed_first(town: city.City) -> None:
    events = town.tables["events"]
    day = {
        k: events[events["kind"] == k].groupby("firm_id")["on"].max()
        for k in ("reform", "guidance", "listed")
    }
    listed = day["listed"]
    assert len(listed) > 30
    assert (day["reform"][listed.index] < day["guidance"][listed.index]).all()
    assert (day["guidance"][listed.index] < listed).all()
    assert events.loc[events["kind"] == "listed", "board"].notna().all()


def test_written_files_are_the_tables(town: city.City, tmp_path: Path) -> None:
    paths = write(town, tmp_path / "files")
    assert set(paths) == {*town.tables, "annual_corrections", "truth"}
    firms = pd.read_csv(paths["firms"], dtype=str)
    assert list(firms["uscc"]) == list(town.tables["firms"]["uscc"])
    annual = pd.read_csv(paths["annual"])
    assert list(annual.columns) == list(town.tables["annual"].columns)
    assert annual["known_on"].str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()
    assert annual["year"].dtype.kind == "i"
    assert digest.of_frame(read_truth(tmp_path / "files")) == digest.of_frame(town.truth)


def test_what_boards_ask_for_is_reported(town: city.City) -> None:
    annual, firms = town.tables["annual"], town.tables["firms"]
    value = annual["market_cap_est"]
    assert 0.02 < value.notna().mean() < 0.5
    assert (value.dropna() >= 0).all()
    assert (annual["audit_opinion"].notna() == (annual["audited"] == 1)).all()
    assert set(annual["audit_opinion"].dropna()) == {"unqualified", "qualified"}
    both = annual[["invention_patents_applied", "invention_patents"]].dropna()
    assert (both.iloc[:, 0] <= both.iloc[:, 1]).all()
    assert set(firms["negative_list"]) == {"none"}
