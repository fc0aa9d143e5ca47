"""Scale: how large the firm is, in money and people."""

from __future__ import annotations

from features.catalogue.measures import ASSETS, EQUITY, REVENUE, feature
from features.expr import col, log, peer, ratio

__all__ = ["FEATURES"]

PLACE = "scale.finance"

FEATURES = (
    feature("revenue | 营业收入 | Revenue | ln 万元", log(REVENUE), PLACE, +1),
    feature("total_assets | 资产总额 | Total assets | ln 万元", log(ASSETS), PLACE),
    feature("net_assets | 净资产 | Net assets | ln 万元", log(EQUITY), PLACE, +1),
    feature("net_profit | 净利润 | Net profit | ln 万元", log(col("net_profit")), PLACE, +1),
    feature(
        "operating_profit | 营业利润 | Operating profit | ln 万元",
        log(col("operating_profit")),
        PLACE,
        +1,
    ),
    feature(
        "profit_before_tax | 利润总额 | Profit before tax | ln 万元",
        log(col("profit_before_tax")),
        PLACE,
        +1,
    ),
    feature(
        "retained_earnings | 未分配利润 | Retained earnings | ln 万元",
        log(col("retained_earnings")),
        PLACE,
        +1,
    ),
    feature("share_capital | 股本 | Share capital | ln 万元", log(col("share_capital")), PLACE),
    feature("employees | 从业人员 | Employees | ln 人", log(col("employees")), PLACE),
    feature("tax_paid | 上缴税金 | Tax paid | ln 万元", log(col("tax_paid")), PLACE, +1),
    feature("revenue_peer | 营业收入同行位置 | Revenue among peers | %", peer(REVENUE), PLACE, +1),
    feature(
        "net_profit_peer | 净利润同行位置 | Net profit among peers | %",
        peer(col("net_profit")),
        PLACE,
        +1,
    ),
    feature("eps | 每股收益 | Earnings per share | 元/股", col("eps"), PLACE, +1),
    feature(
        "revenue_per_employee | 人均营业收入 | Revenue per employee | 万元/人",
        ratio(REVENUE, col("employees")) * 0.01,
        PLACE,
        +1,
    ),
    feature(
        "profit_per_employee | 人均净利润 | Net profit per employee | 万元/人",
        ratio(col("net_profit"), col("employees")) * 0.01,
        PLACE,
        +1,
    ),
)
