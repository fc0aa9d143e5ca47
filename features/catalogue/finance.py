"""Finance: margins, returns, leverage, liquidity and efficiency, with their changes and peers."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue import measures as m
from features.catalogue.measures import ASSETS, REVENUE, feature
from features.expr import Expr, change, col, first_known, peer, ratio
from features.spec import FeatureSpec

__all__ = ["FEATURES"]

PLACE = "character.finance"
CREDIT = "character.finance"

# name, zh, en, unit, formula, direction
MEASURES: tuple[tuple[str, str, str, str, Expr, int], ...] = (
    ("gross_margin", "毛利率", "Gross margin", "%", m.GROSS_MARGIN, +1),
    ("operating_margin", "营业利润率", "Operating margin", "%", m.OPERATING_MARGIN, +1),
    ("net_margin", "净利率", "Net margin", "%", m.NET_MARGIN, +1),
    ("return_on_assets", "总资产收益率", "Return on assets", "%", m.RETURN_ON_ASSETS, +1),
    ("return_on_equity", "净资产收益率", "Return on equity", "%", m.RETURN_ON_EQUITY, +1),
    ("debt_ratio", "资产负债率", "Debt ratio", "%", m.DEBT_RATIO, 0),
    ("current_ratio", "流动比率", "Current ratio", "倍", m.CURRENT_RATIO, 0),
    ("quick_ratio", "速动比率", "Quick ratio", "倍", m.QUICK_RATIO, 0),
    ("asset_turnover", "总资产周转率", "Asset turnover", "次", m.ASSET_TURNOVER, 0),
    (
        "receivable_days",
        "应收账款周转天数",
        "Receivable days",
        "天",
        first_known(col("receivable_days"), ratio(col("receivables"), REVENUE) * 3.65),
        0,
    ),
    (
        "inventory_turnover",
        "存货周转率",
        "Inventory turnover",
        "次",
        first_known(
            col("inventory_turnover"), ratio(col("cost_of_sales"), col("inventories")) * 0.01
        ),
        0,
    ),
)


def _trio(row: tuple[str, str, str, str, Expr, int]) -> Iterator[FeatureSpec]:
    """Level, yearly change and position among peers of one measure."""
    name, zh, en, unit, expr, way = row
    yield feature(f"{name} | {zh} | {en} | {unit}", expr, PLACE, way)
    yield feature(
        f"{name}_change | {zh}变化 | Change of {en.lower()} | {unit}", change(expr, 1), PLACE
    )
    yield feature(f"{name}_peer | {zh}同行位置 | {en} among peers | %", peer(expr), PLACE, way)


SINGLES = (
    feature("pretax_margin | 税前利润率 | Pretax margin | %", m.PRETAX_MARGIN, PLACE, +1),
    feature(
        "operating_return | 营业利润占资产 | Operating profit to assets | %",
        ratio(col("operating_profit"), ASSETS),
        PLACE,
        +1,
    ),
    feature(
        "retained_ratio | 留存收益占资产 | Retained earnings to assets | %",
        ratio(col("retained_earnings"), ASSETS),
        PLACE,
        +1,
    ),
    feature(
        "working_capital | 营运资本占资产 | Working capital to assets | %",
        ratio(col("current_assets") - col("current_liabilities"), ASSETS),
        CREDIT,
        +1,
    ),
    feature(
        "current_share | 流动资产占比 | Share of current assets | %",
        ratio(col("current_assets"), ASSETS),
        CREDIT,
    ),
    feature(
        "short_debt_ratio | 流动负债占资产 | Current liabilities to assets | %",
        ratio(col("current_liabilities"), ASSETS),
        CREDIT,
    ),
    feature(
        "long_debt_ratio | 非流动负债占资产 | Non-current liabilities to assets | %",
        ratio(col("noncurrent_liabilities"), ASSETS),
        CREDIT,
    ),
    feature(
        "capital_impairment | 净资产与股本之比 | Net assets to share capital | %",
        ratio(m.EQUITY, col("share_capital")),
        CREDIT,
        +1,
    ),
    feature(
        "cash_ratio | 现金占流动负债 | Cash to current liabilities | %",
        ratio(col("cash"), col("current_liabilities")),
        CREDIT,
        +1,
    ),
    feature(
        "cash_flow_ratio | 经营现金流占资产 | Operating cash flow to assets | %",
        ratio(col("operating_cash_flow"), ASSETS),
        CREDIT,
        +1,
    ),
    feature(
        "cash_flow_margin | 经营现金流占收入 | Operating cash flow to revenue | %",
        ratio(col("operating_cash_flow"), REVENUE),
        CREDIT,
        +1,
    ),
    feature(
        "interest_cover | 利息保障倍数 | Interest cover | 倍",
        first_known(
            col("interest_cover"), ratio(col("operating_profit"), col("interest_expense")) * 0.01
        ),
        CREDIT,
        +1,
    ),
    feature(
        "interest_burden | 财务费用占收入 | Interest expense to revenue | %",
        ratio(col("interest_expense"), REVENUE),
        CREDIT,
        -1,
    ),
    feature(
        "overhead | 销管费率 | Selling and administrative expense to revenue | %",
        ratio(col("selling_expense") + col("admin_expense"), REVENUE),
        "character.refined",
    ),
    feature(
        "cost_margin | 成本利润率 | Profit to cost of sales | %",
        ratio(col("profit_before_tax"), col("cost_of_sales")),
        "character.refined",
        +1,
    ),
    feature(
        "inventory_share | 存货占资产 | Inventories to assets | %",
        ratio(col("inventories"), ASSETS),
        CREDIT,
    ),
    feature(
        "receivable_share | 应收账款占资产 | Receivables to assets | %",
        ratio(col("receivables"), ASSETS),
        CREDIT,
    ),
    feature(
        "tax_burden | 税收占收入 | Tax paid to revenue | %", ratio(col("tax_paid"), REVENUE), PLACE
    ),
    feature(
        "debt_ratio_last_year | 上年资产负债率 | Debt ratio a year before | %",
        m.DEBT_RATIO.lag(1),
        CREDIT,
    ),
    feature(
        "return_last_year | 上年总资产收益率 | Return on assets a year before | %",
        m.RETURN_ON_ASSETS.lag(1),
        PLACE,
    ),
    feature(
        "gross_margin_last_year | 上年毛利率 | Gross margin a year before | %",
        m.GROSS_MARGIN.lag(1),
        PLACE,
    ),
    feature(
        "equity_raised | 近三年股权融资占资产 | Equity raised in 3 years to assets | %",
        ratio(col("equity_raised_qualified_3y"), ASSETS),
        "growth.finance",
        +1,
    ),
)

FEATURES = (*(spec for row in MEASURES for spec in _trio(row)), *SINGLES)
