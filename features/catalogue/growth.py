"""Growth: rates by calendar year, their steadiness and their direction."""

from __future__ import annotations

from features.catalogue.measures import ASSETS, EQUITY, REVENUE, feature
from features.expr import (
    cagr,
    change,
    col,
    comparable,
    first_known,
    growth,
    highest,
    log,
    mean,
    peer,
    positive_years,
    ratio,
    spread,
)

__all__ = ["FEATURES"]

PLACE = "growth.finance"
PROFIT = col("net_profit")

REVENUE_GROWTH = first_known(growth(REVENUE, 1), col("revenue_growth_pct"))
PROFIT_GROWTH = first_known(growth(PROFIT, 1), col("net_profit_growth_pct"))
YEARS = (REVENUE_GROWTH, REVENUE_GROWTH.lag(1), REVENUE_GROWTH.lag(2))
# Profit may cross zero, so its change is measured against assets, not against itself.
PROFIT_STEP = ratio(change(PROFIT, 1), ASSETS)

FEATURES = (
    feature("revenue_growth_1y | 营业收入增长率 | Revenue growth | %", REVENUE_GROWTH, PLACE, +1),
    feature(
        "revenue_growth_last_year | 上年营业收入增长率 | Revenue growth a year before | %",
        REVENUE_GROWTH.lag(1),
        PLACE,
    ),
    feature(
        "revenue_cagr_2y | 营业收入两年复合增长率 | Revenue growth a year, 2 years | %",
        cagr(REVENUE, 2),
        PLACE,
        +1,
    ),
    feature(
        "revenue_cagr_3y | 营业收入三年复合增长率 | Revenue growth a year, 3 years | %",
        cagr(REVENUE, 3),
        PLACE,
        +1,
    ),
    feature(
        "revenue_acceleration | 营业收入增速变化 | Change of revenue growth | 百分点",
        REVENUE_GROWTH - REVENUE_GROWTH.lag(1),
        PLACE,
    ),
    feature(
        "revenue_growth_mean | 近三年平均增速 | Mean revenue growth, 3 years | %",
        mean(*YEARS),
        PLACE,
        +1,
    ),
    feature(
        "revenue_volatility | 营业收入增速波动 | Spread of revenue growth, 3 years | 百分点",
        spread(*YEARS),
        PLACE,
    ),
    feature(
        "revenue_streak | 连续增长年数 | Years of growth in a row | 年",
        positive_years(*YEARS),
        PLACE,
        +1,
    ),
    feature(
        "revenue_off_peak | 距三年最高营业收入 | Revenue against 3-year peak | %",
        ratio(REVENUE, highest(REVENUE, *(REVENUE.lag(k) * comparable(k) for k in (1, 2)))),
        PLACE,
        +1,
    ),
    feature(
        "revenue_growth_peer | 营业收入增速同行位置 | Revenue growth among peers | %",
        peer(REVENUE_GROWTH),
        PLACE,
        +1,
    ),
    feature("profit_growth_1y | 净利润增长率 | Net profit growth | %", PROFIT_GROWTH, PLACE, +1),
    feature(
        "profit_growth_last_year | 上年净利润增长率 | Net profit growth a year before | %",
        PROFIT_GROWTH.lag(1),
        PLACE,
    ),
    feature(
        "profit_cagr_2y | 净利润两年复合增长率 | Profit growth a year, 2 years | %",
        cagr(PROFIT, 2),
        PLACE,
        +1,
    ),
    feature(
        "profit_step | 净利润变动占资产 | Change of net profit to assets | %",
        PROFIT_STEP,
        PLACE,
        +1,
    ),
    feature(
        "profit_streak | 连续盈利年数 | Years of profit in a row | 年",
        positive_years(PROFIT, PROFIT.lag(1), PROFIT.lag(2)),
        PLACE,
        +1,
    ),
    feature(
        "operating_profit_step | 营业利润变动占资产 | Change of operating profit to assets | %",
        ratio(change(col("operating_profit"), 1), ASSETS),
        PLACE,
        +1,
    ),
    feature("assets_growth_1y | 资产增长率 | Growth of assets | %", growth(ASSETS, 1), PLACE),
    feature(
        "assets_growth_last_year | 上年资产增长率 | Growth of assets a year before | %",
        growth(ASSETS, 1).lag(1),
        PLACE,
    ),
    feature(
        "assets_cagr_2y | 资产两年复合增长率 | Growth of assets a year, 2 years | %",
        cagr(ASSETS, 2),
        PLACE,
    ),
    feature("equity_growth_1y | 净资产增长率 | Growth of net assets | %", growth(EQUITY, 1), PLACE),
    feature(
        "liabilities_growth_1y | 负债增长率 | Growth of liabilities | %",
        growth(col("total_liabilities"), 1),
        PLACE,
    ),
    feature(
        "noncurrent_growth_1y | 非流动资产增长率 | Growth of non-current assets | %",
        growth(col("noncurrent_assets"), 1),
        PLACE,
    ),
    feature(
        "capital_growth_1y | 股本增长率 | Growth of share capital | %",
        growth(col("share_capital"), 1),
        PLACE,
    ),
    feature(
        "employees_growth_1y | 从业人员增长率 | Growth of employees | %",
        growth(col("employees"), 1),
        PLACE,
        +1,
    ),
    feature(
        "employees_cagr_2y | 从业人员两年复合增长率 | Growth of employees a year, 2 years | %",
        cagr(col("employees"), 2),
        PLACE,
        +1,
    ),
    feature(
        "main_revenue_growth_1y | 主营业务收入增长率 | Growth of main revenue | %",
        growth(col("main_revenue"), 1),
        PLACE,
        +1,
    ),
    feature(
        "rd_growth_1y | 研发费用增长率 | Growth of R&D expense | %",
        growth(col("rd_expense"), 1),
        "growth.novel",
        +1,
    ),
    feature(
        "revenue_last_year | 上年营业收入 | Revenue a year before | ln 万元",
        log(REVENUE.lag(1)),
        PLACE,
    ),
    feature(
        "profit_last_year | 上年净利润 | Net profit a year before | ln 万元",
        log(PROFIT.lag(1)),
        PLACE,
    ),
)
