"""An independent oracle of the whole profile: the same formulas as one lazy Polars plan."""

from __future__ import annotations

from benchmarks.profile import APART, apart, fitted
from benchmarks.profile_data import panel
from benchmarks.profile_polars import frames, plan
from features.firm_years import firm_years


def test_every_feature_of_every_year_is_what_polars_computes() -> None:
    seen = panel(6000, seed=3)
    profile = fitted(seen)
    ours = firm_years(profile, seen)
    data = frames(seen.tables["annual"], seen.tables["firms"])
    worst, unknown = apart(ours, plan(data, profile).collect())
    assert len(ours.names) > 130
    assert worst <= APART
    assert unknown == 0
