"""Control groups of the synthetic city: kin share place, trade, product and brand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import city


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    return city.build(3000, 7, draws=0).tables["firms"]


def agreement(firms: pd.DataFrame, column: str) -> tuple[float, float]:
    """How often two of one group agree, and two of the city at all."""
    grouped = firms.dropna(subset=["control_group_id"])
    pairs = grouped.merge(grouped, on="control_group_id", suffixes=("", "_other"))
    pairs = pairs[pairs["firm_id"] < pairs["firm_id_other"]]
    shares = firms[column].value_counts(normalize=True)
    return float((pairs[column] == pairs[f"{column}_other"]).mean()), float((shares**2).sum())


@pytest.mark.parametrize(
    ("column", "least", "most"),
    [
        ("district", 0.45, 0.85),
        ("sector", 0.35, 0.75),
        ("industry_gb4754", 0.20, 0.60),
        ("niche_name", 0.08, 0.40),
    ],
)
def test_kin_agree_more_often_than_strangers(
    firms: pd.DataFrame, column: str, least: float, most: float
) -> None:
    kin, strangers = agreement(firms, column)
    assert least < kin < most
    assert kin > 2 * strangers


def test_groups_have_several_members(firms: pd.DataFrame) -> None:
    sizes = firms["control_group_id"].value_counts()
    assert 0.04 < firms["control_group_id"].notna().mean() < 0.10
    assert set(sizes) <= {1, 2, 3, 4, 6}
    assert (sizes == 1).sum() <= 1  # the last one drawn may be cut short


def test_kin_bear_one_brand_and_every_name_is_different(firms: pd.DataFrame) -> None:
    assert firms["name"].is_unique
    grouped = firms.dropna(subset=["control_group_id"])
    brand = grouped["name"].str[:4]
    assert (brand.groupby(grouped["control_group_id"]).nunique() == 1).mean() > 0.9
    # The word of the trade stands in the name as in the product.
    trade = firms["niche_name"].str[2:]
    assert all(word in name for word, name in zip(trade, firms["name"], strict=True))


def test_a_name_that_is_taken_is_left() -> None:
    from city.groups import shared_names
    from city.parameters import Parameters

    p = Parameters.load()
    kin, (form, _) = p.raw["names"]["members"], p.raw["names"]["forms"]
    own = np.array([f"澜州铭拓轴承{form}", f"澜州启科轴承{form}", f"澜州铭拓{kin[0]}轴承{form}"])
    words, forms, head = np.repeat("轴承", 3), np.zeros(3, dtype=int), np.array([0, 0, 2])
    assert list(shared_names(p, own, words, forms, head)) == list(own)
    assert shared_names(p, own[:2], words[:2], forms[:2], head[:2])[1] == own[2]
