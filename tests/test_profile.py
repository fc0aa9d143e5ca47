"""The profile: one function for training, publishing and what-if, whatever the order of rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.scramble import history, random_tables
from features.mapping_build import load_mapping
from features.prepared import prepare
from features.profile import Profile, observe, specs_for
from features.schema import FAMILIES
from features.spec import FeatureSpec
from features.vault import Vault
from tidu.errors import NotFound, Refused

DAY = date(2021, 6, 30)


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    tables = random_tables(rng)
    mixed = {n: t.sample(frac=1.0, random_state=1) for n, t in tables.items()}
    one, two = (observe(history(t).as_of(DAY)) for t in (tables, mixed))
    specs = specs_for(one.cube.panel, "growth")
    left, right = Profile.fit(specs, [one]), Profile.fit(specs, [two])
    assert left == right
    np.testing.assert_array_equal(left.matrix(one).values, right.matrix(two).values)


def test_a_matrix_is_the_same_before_and_after_others_were_computed() -> None:
    """The memory of an observation may speed things up and change nothing."""
    seen = observe(history(random_tables(np.random.default_rng(1))).as_of(DAY))
    other = observe(history(random_tables(np.random.default_rng(2))).as_of(DAY))
    specs = specs_for(seen.cube.panel, "growth")
    mine, theirs = Profile.fit(specs, [seen]), Profile.fit(specs, [other])
    first = mine.matrix(seen).values
    theirs.matrix(seen)
    mine.positions(seen)
    np.testing.assert_array_equal(mine.matrix(seen).values, first)
    fresh = observe(seen.cube.panel)
    np.testing.assert_array_equal(mine.matrix(fresh).values, first)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bundle_with_features_of_another_family_is_refused(family: str) -> None:
    panel = history(random_tables(np.random.default_rng(1))).as_of(DAY)
    profile = Profile.fit(specs_for(panel, family), [observe(panel)])
    profile.require(family)
    if family != "distress":
        with pytest.raises(Refused, match="tier_held"):
            profile.require("distress")


def test_an_unknown_family_is_not_found() -> None:
    panel = history({}).as_of(DAY)
    with pytest.raises(NotFound):
        specs_for(panel, "wealth")


def test_nothing_known_gives_an_empty_profile() -> None:
    seen = observe(history({}).as_of(DAY))
    profile = Profile.fit(specs_for(seen.cube.panel, "growth"), [seen])
    assert profile.matrix(seen).values.shape == (0, 0)
    tables = random_tables(np.random.default_rng(1))
    trained = Profile.fit(
        specs_for(seen.cube.panel, "growth"), [observe(history(tables).as_of(DAY))]
    )
    assert trained.matrix(seen).values.shape == (0, len(trained.names))


def test_one_year_and_one_firm_are_enough() -> None:
    tables = random_tables(np.random.default_rng(1))
    annual = tables["annual"]
    annual = annual[annual["known_on"] <= pd.Timestamp(DAY)]
    for some in (annual[annual["year"] == 2019], annual.iloc[:1]):
        seen = observe(history({"annual": some}).as_of(DAY))
        profile = Profile.fit(specs_for(seen.cube.panel, "growth"), [seen])
        matrix = profile.matrix(seen)
        assert matrix.values.shape == (some["firm_id"].nunique(), len(profile.names))
        assert not any("growth" in name or "cagr" in name for name in matrix.names)


def test_the_newest_accounts_carry_their_clock() -> None:
    tables = random_tables(np.random.default_rng(4))
    seen = observe(history(tables).as_of(DAY))
    matrix = Profile.fit(specs_for(seen.cube.panel, "growth"), [seen]).matrix(seen)
    annual = tables["annual"]
    annual = annual[annual["known_on"] <= pd.Timestamp(DAY)]
    for firm, year, known in zip(
        matrix.firm_ids, matrix.anchor_years, matrix.known_on, strict=True
    ):
        rows = annual[annual["firm_id"] == firm]
        newest = rows.loc[rows["year"].idxmax()]
        assert (newest["year"], newest["known_on"]) == (year, pd.Timestamp(known))


def test_what_overflows_is_unknown_not_infinite() -> None:
    tables = random_tables(np.random.default_rng(4))
    annual = tables["annual"].copy()
    annual.loc[::2, "revenue"] = 1e-308
    annual.loc[1::2, "revenue"] = 1e308
    seen = observe(history({"annual": annual}).as_of(DAY))
    profile = Profile.fit(specs_for(seen.cube.panel, "growth"), [seen])
    assert not np.isinf(profile.matrix(seen).values).any()
    for tables_ in profile.reference.quantiles.values():
        assert all(np.isfinite(q).all() for q in tables_.values())


def test_specs_survive_json() -> None:
    panel = history(random_tables(np.random.default_rng(1))).as_of(DAY)
    for spec in specs_for(panel, "growth"):
        assert FeatureSpec.from_json(spec.as_json()) == spec


def test_further_columns_of_a_mapping_become_features(
    shared_data: Path, root: Path, tmp_path: Path
) -> None:
    vault = Vault(tmp_path)
    mapping = load_mapping(root / "examples" / "no_hospitality.toml")
    vault.add(prepare(shared_data / "no_hospitality_firm_year.csv.gz", mapping, date(2026, 6, 1)))
    panel = vault.at(vault.head).as_of(date(2018, 12, 31))
    names = {spec.name for spec in specs_for(panel, "distress")}
    assert {"altman_z", "altman_z_change", "altman_z_last_year", "altman_z_peer"} <= names
    # How many years a firm has, which is its last and how old it is tell the outcome there.
    assert not {n for n in names if "anchor" in n or "known" in n or "stale" in n or n == "year"}
