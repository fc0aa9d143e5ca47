"""Credit, attestations, awards and activities of the synthetic city agree with its other tables."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import city
from city.awards import awards_table
from city.files import DELIVERIES, write
from city.parameters import Parameters, streams
from features.mapping_build import load_mapping
from features.prepared import prepare
from features.schema import register
from features.vault import Vault
from tidu import digest

NEW = ("credit", "attestations", "awards", "activities")
END = pd.Timestamp("2026-06-30")


@pytest.fixture(scope="module")
def town() -> city.City:
    return city.build(3000, 7, draws=0)


@pytest.fixture(scope="module")
def credit(town: city.City) -> pd.DataFrame:
    return town.tables["credit"]


def test_the_same_seed_gives_the_same_tables_and_another_others() -> None:
    towns = [city.build(400, seed, draws=0).tables for seed in (3, 3, 4)]
    found = [{name: digest.of_frame(tables[name]) for name in NEW} for tables in towns]
    assert found[0] == found[1]
    assert all(found[0][name] != found[2][name] for name in NEW)


@pytest.mark.parametrize("name", NEW)
def test_keys_bounds_and_codes_hold(town: city.City, name: str) -> None:
    spec, table = register().tables[name], town.tables[name]
    assert len(table) > 100
    assert not table.duplicated(list(spec.key)).any()
    assert table[list(spec.key)].notna().all(axis=None)
    for column in spec.columns.values():
        if column.name in table:
            values = table[column.name].dropna()
            assert len(values), column.name
            if column.dtype in ("code", "set") and column.codes:
                assert set(values.str.split(";").explode()) <= set(column.codes), column.name
            if column.low is not None:
                assert values.min() >= column.low, column.name
            if column.high is not None:
                assert values.max() <= column.high, column.name


def test_every_table_imports_without_an_error_or_a_warning(town: city.City, tmp_path: Path) -> None:
    files = write(town, tmp_path / "files", "parquet")
    assert set(DELIVERIES) == set(files) - {"truth"}
    with resources.as_file(resources.files("city") / "mapping.toml") as path:
        mapping = load_mapping(path)
    vault = Vault(tmp_path / "home")
    for name in DELIVERIES:
        prepared = prepare(files[name], mapping, date(2026, 6, 30))
        assert prepared.warnings == (), name
        vault.add(prepared)
    panel = vault.at(vault.head).as_of(date(2026, 6, 30))
    for name in NEW:
        assert len(panel.tables[name]) == len(town.tables[name]), name


# ------------------------------------------------------------------------------------- credit


def beside_accounts(town: city.City) -> pd.DataFrame:
    """Credit beside accounts in 万元 as they stand in the end; those that were off are left out."""
    key = ["firm_id", "year"]
    annual = pd.concat([town.tables["annual"], town.corrections])
    annual = annual.sort_values("known_on").drop_duplicates(key, keep="last")
    annual = annual[(annual["revenue"] / annual["employees"]).between(1.0, 10_000.0)]
    return town.tables["credit"].merge(annual, on=key)


def test_loans_never_exceed_borrowings(town: city.City) -> None:
    both = beside_accounts(town)
    borrowed = both["short_term_borrowings"] + both["long_term_borrowings"]
    known = both[borrowed.notna()]
    assert len(known) > 5000
    share = known["loan_balance"] / borrowed[known.index]
    assert share.max() <= 1.0
    assert share.median() > 0.7


def test_parts_of_a_loan_never_exceed_it(credit: pd.DataFrame) -> None:
    balance = credit["loan_balance"]
    assert (credit["unsecured_balance"] <= balance).all()
    assert (credit["loan_amount_due"] <= balance).all()
    secured = np.round(balance - credit["unsecured_balance"], 2)
    guaranteed = credit["guarantee_balance"].notna()
    assert 0.05 < guaranteed.mean() < 0.6
    assert (credit["guarantee_balance"] <= secured)[guaranteed].all()
    assert (credit["guarantee_fee_pct"].notna() <= guaranteed).all()
    fees = credit.groupby("year")["guarantee_fee_pct"].mean()
    assert fees.iloc[-1] < fees.iloc[0] - 0.2


def first_open(town: city.City, credit: pd.DataFrame) -> pd.Series:
    """The oldest default of a firm whose arrears had begun by the year's end, unpaid then."""
    events = town.tables["events"].query("kind == 'default_90d'")
    rows = credit.reset_index()[["index", "firm_id", "year"]].merge(events, on="firm_id")
    day = pd.to_datetime(rows["year"].astype(int).astype(str) + "-12-31")
    begun = rows["on"] - pd.Timedelta(days=90)
    own = rows[(begun < day) & ~(rows["ended_on"] <= day)]
    return own.groupby("index")["on"].min().reindex(credit.index)


def test_arrears_stand_exactly_where_a_default_is_open(
    town: city.City, credit: pd.DataFrame
) -> None:
    oldest = first_open(town, credit)
    assert oldest.notna().sum() > 80
    day = pd.to_datetime(credit["year"].astype(int).astype(str) + "-12-31")
    days = (day - oldest).dt.days + 90
    assert (credit["arrears_days"] == days.fillna(0)).all()
    late = credit["arrears_days"] > 0
    assert (day - credit["loan_maturing_on"]).dt.days[late].equals(days[late].astype("int64"))


def test_grades_follow_arrears(credit: pd.DataFrame) -> None:
    days = credit.groupby("five_class")["arrears_days"].agg(["min", "max"])
    assert days.loc["normal", "max"] == 0
    assert days.loc["special_mention", "max"] <= 90
    assert days.loc["substandard", "min"] > 90
    assert days.loc["substandard", "max"] <= 270
    assert (days.loc[days.index.isin(["doubtful", "loss"]), "min"] > 270).all()
    assert 0.01 < (credit["five_class"] != "normal").mean() < 0.15


def test_banks_report_early_in_the_next_year_of_firms_that_live(
    town: city.City, credit: pd.DataFrame
) -> None:
    day = pd.to_datetime(credit["year"].astype(int).astype(str) + "-12-31")
    assert ((credit["known_on"] - day).dt.days.between(1, 120)).all()
    assert credit["known_on"].max() <= END
    events = town.tables["events"]
    final = events[events["kind"].isin(["bankruptcy", "closure", "dissolved", "relocation"])]
    end = credit["firm_id"].map(final.set_index("firm_id")["on"])
    assert not (end <= day).any()
    founded = town.tables["firms"].set_index("firm_id")["founded_on"]
    assert (credit["firm_id"].map(founded) <= day).all()


# ------------------------------------------------------------------- attestations and awards


def test_findings_belong_to_an_application_and_stand_between_it_and_its_decision(
    town: city.City,
) -> None:
    found, applications = town.tables["attestations"], town.tables["applications"]
    found = found[~found["criterion"].str.startswith("pool:")]
    new = applications[applications["purpose"] == "new"]
    both = found.merge(new, on=["firm_id", "batch"])
    assert len(both) == len(found)
    assert (both["attested_on"] >= both["submitted_on"]).all()
    assert not (both["attested_on"] > both["decided_on"]).any()
    assert (found["valid_until"] > found["attested_on"]).all()
    tiers = {
        rule["criterion"]: rule["tier"]
        for rule in Parameters.load().raw["attestations"]["criteria"]
    }
    assert (both["criterion"].map(tiers) == both["tier"]).all()
    # Findings lean towards the decision: nobody passes against an unmet criterion.
    unmet = both["finding"] == "unmet"
    assert not (unmet & (both["final_result"] == "passed")).any()
    assert unmet[both["final_result"] == "failed"].mean() > 0.1


def test_the_pool_of_firms_that_may_list_holds_reformed_ones(town: city.City) -> None:
    found, events = town.tables["attestations"], town.tables["events"]
    pool = found[found["criterion"] == "pool:listing_reserve"]
    assert len(pool) > 50
    reform = events[events["kind"] == "reform"].groupby("firm_id")["on"].min()
    assert (pool["attested_on"] > pool["firm_id"].map(reform)).all()
    assert pool["attested_on"].max() <= END


def test_criteria_are_manual_ones_of_the_law() -> None:
    data = resources.files("policy") / "data" / "editions"
    text = {item.name: item.read_text(encoding="utf-8") for item in data.iterdir()}
    for rule in Parameters.load().raw["attestations"]["criteria"]:
        wanted = f'manual = "{rule["criterion"]}"'
        assert any(wanted in t for n, t in text.items() if n.startswith(rule["tier"])), rule


def test_awards_follow_titles_the_highest_of_a_year(town: city.City) -> None:
    awards, titles = town.tables["awards"], town.tables["titles"]
    rules = Parameters.load().raw["awards"]["tiers"]
    tier_of = {rule["item"]: tier for tier, rule in rules.items()}
    assert set(awards["item"]) == set(tier_of)
    assert (
        awards["amount"] == awards["item"].map({r["item"]: r["amount"] for r in rules.values()})
    ).all()
    new = titles[titles["purpose"] == "new"].assign(year=lambda t: t["issued_on"].dt.year * 1.0)
    both = awards.assign(tier=awards["item"].map(tier_of)).merge(
        new, on=["firm_id", "tier", "year"]
    )
    assert len(both) == len(awards)
    assert (both["paid_on"] > both["issued_on"]).all()
    assert awards["paid_on"].max() <= END
    assert not awards.duplicated(["firm_id", "year"]).any()
    worth = new["tier"].map({tier: rule["amount"] for tier, rule in rules.items()})
    best = new.assign(worth=worth).groupby(["firm_id", "year"])["worth"].max()
    paid = awards.set_index(["firm_id", "year"])["amount"]
    assert (paid == best[paid.index]).all()


def test_of_two_titles_in_a_year_the_higher_is_paid_and_none_to_a_firm_that_is_gone() -> None:
    rows = [
        ("A", "srdi_provincial", "2023-09-01", "new"),
        ("A", "little_giant", "2023-02-01", "new"),
        ("B", "srdi_provincial", "2023-02-01", "new"),
        ("C", "little_giant", "2023-02-01", "review"),
    ]
    titles = pd.DataFrame(rows, columns=["firm_id", "tier", "issued_on", "purpose"])
    titles["issued_on"] = pd.to_datetime(titles["issued_on"])
    ended = pd.Series(pd.to_datetime([None, "2023-02-02", None]), ["A", "B", "C"])
    p = Parameters.load()
    raw = dict(p.raw) | {"awards": dict(p.raw["awards"]) | {"paid": 1.0}}
    made = awards_table(Parameters(raw, ""), titles, ended, streams(1))
    assert list(made["firm_id"]) == ["A"]
    assert list(made["amount"]) == [200.0]


# --------------------------------------------------------------------------------- activities


def test_activities_are_of_the_districts_and_not_larger_than_they(town: city.City) -> None:
    held, firms = town.tables["activities"], town.tables["firms"]
    there = firms["district"].value_counts()
    assert set(held["district"]) == set(there.index)
    assert (held["firms_attending"] <= held["district"].map(there)).all()
    assert held["on"].between(pd.Timestamp("2020-01-01"), END).all()
    persons = held["managers_trained"].fillna(held["events_attended"])
    assert not (persons < held["firms_attending"]).any()
    trained = held["institution"].notna()
    assert (trained == (held["kind"] == "technician_training")).all()
    assert held.loc[trained, "technicians_new"].notna().all()


def test_activities_come_in_the_numbers_of_a_plan(town: city.City) -> None:
    held = town.tables["activities"]
    whole = held[held["on"].dt.year.between(2021, 2025)]
    years = whole.groupby(["kind", whole["on"].dt.year])["events_held"].sum().unstack()
    assert (years.loc["matching"].between(35, 85)).all()
    each = whole[whole["kind"] == "exchange"].groupby("district")["events_held"].sum() / 5
    assert each.between(1.0, 5.0).all()
