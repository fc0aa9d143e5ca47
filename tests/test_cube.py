"""The cube: a lag is a calendar year, a gap stays a gap."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scramble import history
from features.cube import Cube, EveryYear, Window
from features.panel import Panel
from tidu.errors import NotFound

DAY = date(2030, 1, 1)
keys = st.lists(
    st.tuples(st.sampled_from("ABCD"), st.integers(2010, 2020)),
    min_size=1,
    max_size=20,
    unique=True,
)


def panel(rows: list[tuple[str, int]], values: list[float]) -> Panel:
    frame = pd.DataFrame(rows, columns=["firm_id", "year"]).astype({"firm_id": "str"})
    frame = frame.assign(revenue=values, known_on=pd.Timestamp(2021, 1, 1), known_inferred=False)
    frame["known_on"] = frame["known_on"].astype("datetime64[s]")
    return history({"annual": frame}).as_of(DAY)


@settings(max_examples=60)
@given(keys, st.integers(0, 12))
def test_a_lag_counts_calendar_years(rows: list[tuple[str, int]], years: int) -> None:
    values = [float(i) for i in range(len(rows))]
    cube = Cube(panel(rows, values))
    held = dict(zip(rows, values, strict=True))
    window = Window(cube)
    got = window.lag("revenue", years)
    for firm, anchor, value in zip(cube.firm_ids, window.anchor, got, strict=True):
        expected = held.get((firm, int(anchor) - years), np.nan)
        np.testing.assert_equal(float(value), expected)
    every = EveryYear(cube).lag("revenue", years).reshape(cube.n_years, -1)
    for i in range(cube.n_years):
        for j, firm in enumerate(cube.firm_ids):
            expected = held.get((firm, cube.first_year + i - years), np.nan)
            np.testing.assert_equal(float(every[i, j]), expected)
    present = {(f, cube.first_year + i) for i, f in (
        (i, cube.firm_ids[j]) for i, j in np.argwhere(cube.present)
    )}  # fmt: skip
    assert present == set(rows)


@given(keys, st.integers(2008, 2022))
def test_a_window_may_stand_anywhere(rows: list[tuple[str, int]], year: int) -> None:
    cube = Cube(panel(rows, [1.0] * len(rows)))
    anchor = np.full(len(cube.firm_ids), year)
    seen = Window(cube, anchor=anchor).lag("revenue", 1)
    assert [not np.isnan(v) for v in seen] == [(f, year - 1) in rows for f in cube.firm_ids]


def test_a_column_nobody_sent_is_unknown_and_one_nobody_knows_is_not_found() -> None:
    cube = Cube(panel([("A", 2020)], [1.0]))
    assert np.isnan(cube.column("rd_expense")).all()
    assert not cube.has("rd_expense")
    assert cube.has("revenue")
    assert cube.lacks(frozenset({"rd_expense"}))
    assert not cube.lacks(frozenset())
    with pytest.raises(NotFound):
        cube.column("no_such_column")


def test_facts_are_of_a_day_not_of_every_year() -> None:
    cube = Cube(panel([("A", 2020), ("A", 2019)], [1.0, 2.0]))
    with pytest.raises(NotFound):
        EveryYear(cube, {"age_years": np.array([1.0])}).fact("age_years")
    with pytest.raises(NotFound):
        Window(cube).fact("age_years")


def test_an_ordered_code_is_its_rank() -> None:
    shown = panel([("A", 2019), ("A", 2020)], [1.0, 1.0])
    codes = pd.Series(["national", None], dtype="str")
    spec = shown.column("rd_institution_level")
    codes = pd.Series([list(spec.codes)[1], None], dtype="str")
    shown.tables["annual"]["rd_institution_level"] = codes
    dense = Cube(shown).column("rd_institution_level")
    assert dense[0, 0] == 1.0
    assert np.isnan(dense[1, 0])


def test_an_empty_panel_has_an_empty_cube() -> None:
    cube = Cube(history({}).as_of(DAY))
    assert cube.n_years == 0
    assert len(cube.newest_year) == 0
    assert Window(cube).lag("revenue", 1).shape == (0,)
    assert Window(cube).comparable(0, 1).shape == (0,)
