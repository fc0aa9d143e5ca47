"""What a firm may change: the data as it ships, what is refused, and a firm at a later batch."""

from __future__ import annotations

import copy
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.schema import register
from policy.law import CitySettings
from policy.path.affine import Affine, Unknown
from policy.path.changes_reading import changes_of, parse_changes, released
from policy.path.outlook import carried, look_out
from tidu.errors import DataError

FILE = Path(__file__).resolve().parent.parent / "policy" / "data" / "changes.toml"
NOVEMBER, JANUARY = date(2026, 11, 22), date(2026, 1, 15)
ALL = frozenset(register().tables["annual"].columns)


def raw() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def test_every_field_keeps_every_identity_and_makes_no_forbidden_move() -> None:
    """Told again in the test's own words: the books balance after a change of 1."""
    changes = released()
    for field in changes.fields:
        moved = {column: field.direction * by for column, by in field.moves.items()}
        for identity in changes.identities:
            assert sum(w * moved.get(c, 0.0) for c, w in identity.sum.items()) == 0
        assert all(moved.get(c, 0.0) >= 0 for c in ("revenue", "employees", "total_assets"))
        assert "ip_transferred_in" not in moved


def test_immutables_are_no_fields() -> None:
    movable = {column for field in released().fields for column in field.moves}
    assert movable.isdisjoint(
        {"years_in_niche", "main_product_field", "fills_gap_flag", "market_cap_est", "audited"}
    )


def test_all_problems_are_told_at_once() -> None:
    bad = copy.deepcopy(raw())
    bad["horizon_years"] = 5
    bad["fields"]["main_revenue"]["moves"] = {"cost_of_sales": 1}  # revenue stands still
    bad["fields"]["total_liabilities"]["moves"] = {"total_assets": 1}  # debt paid out of assets
    bad["fields"]["rd_expense"]["moves"]["admin_expense"] = -1  # cost renamed
    bad["fields"]["class1_ip"]["moves"]["ip_transferred_in"] = 1  # bought
    bad["fields"]["employees"]["direction"] = -1
    bad["fields"]["iso_cert"]["per_year"] = {}
    bad["fields"]["nonsense"] = {"direction": 1}
    del bad["fields"]["own_brand"]["en"]
    with pytest.raises(DataError, match="must be sound") as caught:
        parse_changes(bad)
    said = {(issue.rule.partition(".")[2], issue.column) for issue in caught.value.issues}
    assert {
        ("number", "horizon_years"),
        ("identity", "fields.main_revenue.moves"),
        ("forbidden", "fields.total_liabilities.moves"),
        ("forbidden", "fields.rd_expense.moves"),
        ("identity", "fields.rd_expense.moves"),
        ("forbidden", "fields.class1_ip.moves"),
        ("forbidden", "fields.employees.moves"),
        ("rate", "fields.iso_cert.per_year"),
        ("column", "fields.nonsense"),
        ("text", "fields.own_brand"),
    } <= said


def test_the_city_sets_rates_and_lead_times_and_nothing_else() -> None:
    own = {"class1_ip": {"lead_months": 8, "per_year": {"amount": 5}}}
    field = parse_changes(raw(), own).field("class1_ip")
    assert (field.lead_months, field.per_year.amount, field.confidence) == (8, 5, "city")
    with pytest.raises(DataError, match="must be sound") as caught:
        parse_changes(raw(), {"class1_ip": {"direction": -1}, "goodwill": {"lead_months": 1}})
    assert {i.column for i in caught.value.issues} == {
        "changes.class1_ip.direction",
        "changes.goodwill",
    }


def test_the_citys_file_reaches_the_path() -> None:
    own = CitySettings(changes={"class1_ip": {"lead_months": 17}})
    assert changes_of(own).field("class1_ip").lead_months == 17
    assert released().field("class1_ip").lead_months != 17
    assert changes_of(CitySettings()) is released()
    with pytest.raises(DataError, match="sound"):
        changes_of(CitySettings(changes={"class1_ip": {"direction": -1}, "unheard": {}}))


# ---------------------------------------------------------------------------- a later batch


def test_closed_years_move_back_and_open_years_stand_still() -> None:
    now = {"revenue": 4.0, "revenue[-1]": 3.0, "revenue[-2]": 2.0, "revenue[-3]": 1.0}
    arrays = {name: np.array([value]) for name, value in now.items()}
    later = {name: float(v[0]) for name, v in carried(arrays, released(), 2).items()}
    assert later == {"revenue": 4, "revenue[-1]": 4, "revenue[-2]": 4, "revenue[-3]": 3}


def test_what_time_brings_and_takes() -> None:
    columns = {
        "years_in_niche": 2.0,
        "equity_raised_qualified_2y": 500.0,
        "equity_raised_qualified_3y": 0.0,
        "debt_ratio_pct": 60.0,
        "held(srdi_provincial)": 1.0,
        "founded_on": 15_000.0,
    }
    arrays = {name: np.array([value]) for name, value in columns.items()}
    one, two = (
        {name: float(v[0]) for name, v in carried(arrays, released(), years).items()}
        for years in (1, 2)
    )
    assert (one["years_in_niche"], two["years_in_niche"]) == (3, 4)
    # After a year some of the window may be left, after two nothing is; nothing stays nothing.
    assert np.isnan(one["equity_raised_qualified_2y"])
    assert two["equity_raised_qualified_2y"] == 0
    assert one["equity_raised_qualified_3y"] == 0
    # A ratio as reported says nothing of a year that is open.
    assert np.isnan(one["debt_ratio_pct"])
    assert one["held(srdi_provincial)"] == 1
    assert one["founded_on"] == 15_000


@pytest.mark.parametrize(
    ("start", "years", "expected"),
    [
        (JANUARY, 1, None),  # granted in May 2027
        (JANUARY, 2, (2.0, (0.0, 1.0))),  # one year's worth, all of it in the second year
        (NOVEMBER, 2, None),  # granted in March 2028
    ],
)
def test_a_lead_time_keeps_a_change_out_of_early_years(
    start: date, years: int, expected: tuple[float, tuple[float, ...]] | None
) -> None:
    outlook = look_out({"class1_ip": 1.0}, released(), years, start, ALL)
    found = [(c.high, c.shown) for c in outlook.choices if c.field.id == "class1_ip"]
    assert found == ([] if expected is None else [expected])


def test_a_change_shows_half_in_the_year_between_and_nothing_in_closed_years() -> None:
    columns = {
        f"{name}{lag}": 1000.0
        for name in ("revenue", "main_revenue", "employees")
        for lag in ("", "[-1]", "[-2]")
    }
    outlook = look_out(columns, released(), 2, JANUARY, ALL)
    names = [choice.field.id for choice in outlook.choices]
    change = np.zeros(len(names))
    change[names.index("main_revenue")], change[names.index("employees")] = 300.0, 41.0
    point = np.concatenate([change, np.floor(change[list(outlook.halves)] / 2)])
    after = outlook.changed(point)
    for name in ("revenue", "main_revenue"):  # revenue grows with its part
        assert [after[name + lag] for lag in ("", "[-1]", "[-2]")] == [1300, 1150, 1000]
    assert [after["employees" + lag] for lag in ("", "[-1]", "[-2]")] == [1041, 1020, 1000]


def test_what_is_unknown_cannot_change_and_a_stand_in_appears_only_then() -> None:
    def offered(**columns: float) -> set[str]:
        outlook = look_out(columns, released(), 1, JANUARY, ALL)
        return {choice.field.id for choice in outlook.choices}

    assert offered(revenue=100.0, main_revenue=90.0) == {"main_revenue"}
    assert offered(revenue=100.0, main_revenue=np.nan) == {"revenue"}
    assert offered(revenue=np.nan) == set()


def test_cells_are_unknown_where_nobody_knows() -> None:
    outlook = look_out({"revenue": np.nan, "employees": 5.0}, released(), 1, JANUARY, ALL)
    assert isinstance(outlook.cell("revenue"), Unknown)
    assert isinstance(outlook.cell("nothing"), Unknown)
    assert isinstance(outlook.cell("employees"), Affine)
