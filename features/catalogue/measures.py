"""Measures several features share: ratios as reported, or computed where they were not."""

from __future__ import annotations

from features.expr import Expr, col, first_known, ratio
from features.spec import FeatureSpec

__all__ = [
    "ASSET_TURNOVER",
    "CURRENT_RATIO",
    "DEBT_RATIO",
    "EQUITY",
    "GROSS_MARGIN",
    "NET_MARGIN",
    "OPERATING_MARGIN",
    "PRETAX_MARGIN",
    "QUICK_RATIO",
    "RD_RATIO",
    "RETURN_ON_ASSETS",
    "RETURN_ON_EQUITY",
    "feature",
]

REVENUE = col("revenue")
ASSETS = first_known(col("total_assets"), col("current_assets") + col("noncurrent_assets"))
HUNDREDTH = 0.01

EQUITY = first_known(col("net_assets"), ASSETS - col("total_liabilities"))
GROSS_MARGIN = first_known(col("gross_margin_pct"), ratio(REVENUE - col("cost_of_sales"), REVENUE))
OPERATING_MARGIN = first_known(col("operating_margin_pct"), ratio(col("operating_profit"), REVENUE))
PRETAX_MARGIN = ratio(col("profit_before_tax"), REVENUE)
NET_MARGIN = first_known(col("net_margin_pct"), ratio(col("net_profit"), REVENUE))
DEBT_RATIO = first_known(col("debt_ratio_pct"), ratio(col("total_liabilities"), ASSETS))
CURRENT_RATIO = first_known(
    col("current_ratio"), ratio(col("current_assets"), col("current_liabilities")) * HUNDREDTH
)
QUICK_RATIO = first_known(
    col("quick_ratio"),
    ratio(col("current_assets") - col("inventories"), col("current_liabilities")) * HUNDREDTH,
)
ASSET_TURNOVER = first_known(col("asset_turnover"), ratio(REVENUE, ASSETS) * HUNDREDTH)
RETURN_ON_ASSETS = first_known(col("return_on_assets_pct"), ratio(col("net_profit"), ASSETS))
RETURN_ON_EQUITY = first_known(
    col("weighted_roe_pct"), col("roe_pct"), ratio(col("net_profit"), EQUITY)
)
RD_RATIO = ratio(col("rd_expense"), REVENUE)


def feature(
    label: str, expr: Expr, place: str, direction: int = 0, *, actionable: bool = True
) -> FeatureSpec:
    """Write a feature on one line.

    ``label`` is ``name | zh | en | unit``, ``place`` is ``dimension.facet``. The task families
    follow from the columns (:func:`features.profile.specs_for`).
    """
    name, zh, en, unit = (part.strip() for part in label.split("|"))
    dimension, facet = place.split(".")
    return FeatureSpec(
        name,
        zh,
        en,
        unit,
        dimension,  # type: ignore[arg-type]  # FeatureSpec checks it
        facet,
        expr,
        direction,
        actionable,
    )
