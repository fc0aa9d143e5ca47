"""Cohorts and labels of titles on the city, held against the chances that it was drawn with."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from small_city import FIRMS, SEED, Trained

import city
from features.facts import LADDER
from model.examples import cohort_at
from model.tasks import find
from serving.workspace import Workspace

YEARS = range(2021, 2026)


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    table = city.build(FIRMS, SEED, draws=0).truth
    return table.astype({"task": "str", "firm_id": "str"})


@pytest.mark.parametrize("kind", ["promotion", "application", "recognition", "lapse"])
def test_what_happened_is_what_the_chances_say(
    kind: str, city_home: Trained, truth: pd.DataFrame
) -> None:
    """Every firm asked about has a true chance, and outcomes come as often as the chances sum to.

    Over all tiers and years the count is a sum of independent draws: four of its standard
    deviations are missed by one right city in 16 000.
    """
    history = Workspace(city_home.home).history()
    evidence = history.as_of(date(2026, 6, 30))
    chances, labels = [], []
    for tier in LADDER:
        task = find(f"{kind}:{tier}@12", ())
        own = truth[(truth["task"] == str(task.name)).to_numpy()]
        for year in YEARS:
            day = date(year, 6, 30)
            part = cohort_at(history, task, day, evidence)
            part = part.kept(~np.isnan(part.label))
            then = own[(own["as_of"] == pd.Timestamp(day)).to_numpy()].set_index("firm_id")
            chances.append(then["probability"].reindex(part.firm_ids.astype(str)).to_numpy())
            labels.append(part.label)
    p, y = np.concatenate(chances), np.concatenate(labels)
    assert not np.isnan(p).any()
    assert y.sum() > 10
    assert abs(y.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum())
    # Chances tell firms apart, as labels do that are drawn from them: a label moved by a year or
    # a tier would not follow them.
    assert p[y == 1].mean() > p[y == 0].mean()
