"""Reports of the synthetic city as they are: slips of unit, changes of basis, restated years."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import city
from city.accounts import MONEY
from city.basis import consolidated
from city.files import write
from features.cube import Cube, Window
from features.mapping_build import load_mapping
from features.prepared import Prepared, prepare
from features.vault import Vault

KEY = ["firm_id", "year"]
CAPITAL = {"share_capital", "retained_earnings"}


@pytest.fixture(scope="module")
def town() -> city.City:
    return city.build(2500, 11, draws=0)


@pytest.fixture(scope="module")
def imported(town: city.City, tmp_path_factory: pytest.TempPathFactory) -> list[Prepared]:
    folder = tmp_path_factory.mktemp("city")
    files = write(town, folder, "parquet")
    with resources.as_file(resources.files("city") / "mapping.toml") as path:
        mapping = load_mapping(path)
    names = ("firms", "annual", "annual_corrections")
    return [prepare(files[name], mapping, date(2026, 6, 30)) for name in names]


def slips(annual: pd.DataFrame) -> pd.Series:
    """Which statements are in another unit: revenue per head tells."""
    return ~(annual["revenue"] / annual["employees"]).between(1.0, 10_000.0)


def both(town: city.City) -> pd.DataFrame:
    """First reports beside what put them right."""
    return town.tables["annual"].merge(town.corrections, on=KEY, suffixes=("", "_right"))


def newest(town: city.City) -> pd.DataFrame:
    rows = pd.concat([town.tables["annual"], town.corrections])
    return rows.sort_values("known_on").drop_duplicates(KEY, keep="last")


def test_a_few_reports_are_in_another_unit_and_not_all_are_put_right(town: city.City) -> None:
    annual = town.tables["annual"]
    wrong = slips(annual)
    assert 0.002 < wrong.mean() < 0.007
    assert {"up", "down"} == set(np.where(annual["revenue"][wrong] > 1e5, "up", "down"))
    assert not slips(town.corrections).any()
    left = slips(newest(town)).sum()
    assert 0.15 < left / wrong.sum() < 0.55


def test_a_slip_moves_all_money_by_one_power_and_nothing_else(town: city.City) -> None:
    pairs = both(town)
    pairs = pairs[slips(pairs) & (pairs["reporting_basis"] == pairs["reporting_basis_right"])]
    assert len(pairs) > 20
    factor = np.where(pairs["revenue"] > pairs["revenue_right"], 1e4, 1e-4)
    for name in sorted(MONEY):
        wrong, right = pairs[name].to_numpy(), pairs[f"{name}_right"].to_numpy()
        assert np.allclose(wrong, right * factor, rtol=1e-12, atol=1e-6, equal_nan=True), name
    for name in ("employees", "class1_ip", "net_assets_per_share"):
        assert pairs[name].equals(pairs[f"{name}_right"].rename(name))


def test_only_heads_of_groups_change_the_basis_and_for_good(town: city.City) -> None:
    annual = town.tables["annual"]
    group = town.tables["firms"].set_index("firm_id")["control_group_id"]
    whole = annual[annual["reporting_basis"] == "consolidated"]
    heads = group[whole["firm_id"].unique()]
    assert len(heads) > 10
    assert heads.notna().all()
    assert heads.is_unique
    first = whole.groupby("firm_id")["year"].min()
    later = annual[annual["firm_id"].isin(first.index)]
    after = later["year"] >= later["firm_id"].map(first)
    assert (after == (later["reporting_basis"] == "consolidated")).all()


def jumps(town: city.City) -> pd.DataFrame:
    """Consecutive years of the newest reports, in 万元, with the ratio of revenue."""
    known = newest(town)
    known = known[~slips(known)]
    after = known.assign(year=known["year"] - 1)
    pairs = known.merge(after, on=KEY, suffixes=("", "_next"))
    changed = pairs["reporting_basis"] != pairs["reporting_basis_next"]
    return pairs.assign(changed=changed, ratio=pairs["revenue_next"] / pairs["revenue"])


def test_a_change_of_basis_jumps_by_more_than_growth(town: city.City) -> None:
    pairs = jumps(town)
    changed = pairs[pairs["changed"]]
    assert len(changed) >= 4
    assert changed["ratio"].median() > 1.25 * pairs["ratio"][~pairs["changed"]].median()
    # Heads and rights are those of the firm before and after.
    assert (changed["employees_next"] / changed["employees"]).median() < 1.3


def test_growth_across_a_change_of_basis_is_unknown(
    imported: list[Prepared], tmp_path: Path
) -> None:
    vault = Vault(tmp_path)
    for part in imported:
        vault.add(part)
    panel = vault.at(vault.head).as_of(date(2026, 6, 30))
    cube = Cube(panel)
    bases = panel.tables["annual"].pivot(index="firm_id", columns="year", values="reporting_basis")
    seen = 0
    for year in range(2016, 2026):
        view = Window(cube, anchor=np.full(len(cube.firm_ids), year))
        pair = bases[[year - 1, year]].reindex(cube.firm_ids).dropna()
        same = pd.Series(view.comparable(0, 1), cube.firm_ids)[pair.index]
        differ = pair[year] != pair[year - 1]
        seen += differ.sum()
        assert same[differ].isna().all()
        assert (same[~differ] == 1.0).all()
    assert seen >= 4


def test_some_restate_the_year_before_on_the_new_basis(town: city.City) -> None:
    pairs = both(town)
    made = pairs[pairs["reporting_basis"] != pairs["reporting_basis_right"]]
    assert len(made) >= 2
    assert set(made["reporting_basis_right"]) == {"consolidated"}
    assert (made["known_on_right"] > made["known_on"]).all()
    following = newest(town).assign(year=lambda f: f["year"] - 1)
    pair = made.merge(following, on=KEY, suffixes=("", "_next"))
    assert (pair["reporting_basis_next"] == "consolidated").all()
    # With the year before restated, the two years compare, and the jump is gone.
    assert (pair["revenue_next"] / pair["revenue_right"]).median() < 1.35


def test_a_consolidated_statement_adds_up() -> None:
    own = pd.DataFrame({name: [100.0, 100.0] for name in sorted(MONEY)})
    own = own.assign(total_liabilities=40.0, net_assets=60.0, share_capital=20.0)
    own = own.assign(retained_earnings=[40.0, np.nan], net_assets_per_share=3.0, employees=7.0)
    own = own.assign(reporting_basis="parent")
    made = consolidated(own, np.array([True, True]), np.array([1.5, 2.0]))
    assert list(made["total_assets"]) == [150.0, 200.0]
    assert (made["total_assets"] == made["total_liabilities"] + made["net_assets"]).all()
    assert list(made["share_capital"]) == [20.0, 20.0]
    assert made["retained_earnings"][0] == 70.0
    assert np.isnan(made["retained_earnings"][1])
    assert list(made["net_assets_per_share"]) == [4.5, 6.0]
    assert list(made["employees"]) == [7.0, 7.0]
    none = consolidated(own, np.array([False, False]), np.array([1.5, 2.0]))
    pd.testing.assert_frame_equal(none, own)


def test_a_slip_passes_the_import_unnoticed(imported: list[Prepared]) -> None:
    # A whole statement in another unit is consistent in itself: no rule across columns sees it.
    assert [part.warnings for part in imported] == [()] * 3
