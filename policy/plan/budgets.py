"""Budgets of rewards: by year of payment and district, and the plan's ceilings as a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["CEILINGS", "by_district", "by_year", "ceilings"]

CEILINGS = ("little_giant", "provincial_rest", "provincial_all", "champion", "champion_product")


def by_year(
    settled: pd.DataFrame,
    city_share_pct: float | None,
    earmarked: Mapping[int, Mapping[str, float]] | None = None,
) -> pd.DataFrame:
    """What falls due by year of payment and district, with the shares of city and district.

    ``earmarked`` is what the districts have set aside (本级财政预算中的专项资金); ``short`` is what
    is missing of the district's share, NaN where nothing is known.
    """
    due = settled[(settled["payable"] > 0).to_numpy()]
    grouped = due.groupby(["pay_year", "district"], as_index=False)
    table = grouped.agg(firms=("firm_id", "nunique"), amount=("payable", "sum"))
    share = np.nan if city_share_pct is None else city_share_pct / 100.0
    table["pay_year"] = table["pay_year"].astype("int64")
    table["city"] = table["amount"] * share
    table["county"] = table["amount"] - table["city"]
    places = zip(table["pay_year"], table["district"], strict=True)
    set_aside = [(earmarked or {}).get(year, {}).get(place, np.nan) for year, place in places]
    table["earmarked"] = np.array(set_aside, dtype="float64")
    table["short"] = (table["county"] - table["earmarked"]).clip(lower=0.0)
    return table


def by_district(settled: pd.DataFrame) -> pd.DataFrame:
    """Firms and amounts per district ("" where the district is not recorded)."""
    due = settled[(settled["payable"] > 0).to_numpy()]
    grouped = due.groupby("district", as_index=False)
    return grouped.agg(firms=("firm_id", "nunique"), amount=("payable", "sum"))


def ceilings(targets: Mapping[str, float], amounts: Mapping[str, float]) -> pd.DataFrame:
    """The most that the rewards can cost if every firm of the targets were newly recognised.

    ``targets``: little_giant, provincial, champion (firms); ``amounts``: little_giant, provincial,
    champion, champion_product (万元). The provincial target either includes the little giants, who
    then take the higher reward, or it does not.
    """
    giants, provincial, champions = (
        targets[name] for name in ("little_giant", "provincial", "champion")
    )
    firms = [giants, provincial - giants, provincial, champions, champions]
    each = [
        amounts[name]
        for name in ("little_giant", "provincial", "provincial", "champion", "champion_product")
    ]
    table = pd.DataFrame({"ceiling": CEILINGS, "firms": firms, "each": each})
    return table.assign(amount=table["firms"] * table["each"])
