"""Market and speciality: focus, position in the niche, quality, digital and green."""

from __future__ import annotations

from features.catalogue.measures import REVENUE, feature
from features.expr import change, col, log, peer, ratio

__all__ = ["FEATURES"]

MAIN = ratio(col("main_revenue"), REVENUE)
SHARE = col("niche_share_national_pct")

FEATURES = (
    feature(
        "main_share | 主营业务收入占比 | Share of main business | %", MAIN, "character.special", +1
    ),
    feature(
        "main_share_change | 主营业务收入占比变化 | Change of share of main business | %",
        change(MAIN, 1),
        "character.special",
    ),
    feature(
        "main_product_share | 主导产品收入占比 | Share of main product | %",
        ratio(col("main_product_revenue"), REVENUE),
        "character.special",
        +1,
    ),
    feature(
        "years_in_niche | 从事细分市场年限 | Years in the niche | 年",
        col("years_in_niche"),
        "character.special",
        +1,
    ),
    feature(
        "niche_share | 全国细分市场占有率 | National niche share | %",
        SHARE,
        "character.distinctive",
        +1,
    ),
    feature(
        "niche_share_change | 细分市场占有率变化 | Change of niche share | %",
        change(SHARE, 1),
        "character.distinctive",
        +1,
    ),
    feature(
        "niche_share_peer | 细分市场占有率同行位置 | Niche share among peers | %",
        peer(SHARE),
        "character.distinctive",
        +1,
    ),
    feature(
        "niche_rank | 全国细分市场排名 | National niche rank | 名",
        col("niche_rank_national"),
        "character.distinctive",
        -1,
    ),
    feature(
        "niche_rank_province | 省内细分市场排名 | Provincial niche rank | 名",
        col("niche_rank_province"),
        "character.distinctive",
        -1,
    ),
    feature(
        "overseas_share | 境外收入占比 | Share of overseas revenue | %",
        ratio(col("overseas_revenue"), REVENUE),
        "character.chain",
    ),
    feature(
        "supplies_leader | 配套龙头企业 | Supplies a chain leader | 是/否",
        col("supplies_chain_leader"),
        "character.chain",
        +1,
    ),
    feature("own_brand | 自主品牌 | Own brand | 是/否", col("own_brand"), "character.refined", +1),
    feature("trademarks | 商标 | Trademarks | ln 项", log(col("trademarks")), "character.refined"),
    feature(
        "quality_award | 质量奖级别 | Level of quality award | 级",
        col("quality_award_level"),
        "character.refined",
        +1,
    ),
    # Two routes of the 2022 standards that 2号 abolished: off where they count no more
    # (model/editions.toml).
    feature(
        "provincial_score | 省级特色化得分 | Provincial distinctive score | 分",
        col("provincial_feature_score"),
        "character.distinctive",
        +1,
    ),
    feature(
        "contest_rank | 创客中国名次 | Place in the Maker in China contest | 名",
        col("maker_contest_rank"),
        "innovation.novel",
        -1,
    ),
    feature(
        "iso_cert | 管理体系认证 | Management system certified | 是/否",
        col("iso_cert"),
        "character.refined",
        +1,
    ),
    feature(
        "standards_led | 主持标准 | Standards led | 项",
        col("standards_led"),
        "character.special",
        +1,
    ),
    feature(
        "standards_joined | 参与标准 | Standards joined | 项",
        col("standards_joined"),
        "character.special",
        +1,
    ),
    feature(
        "digital_level | 数字化水平 | Digital level | 级",
        col("digital_level"),
        "character.refined",
        +1,
    ),
    feature(
        "info_system | 信息系统支撑核心业务 | Information system for core business | 是/否",
        col("info_system_core"),
        "character.refined",
        +1,
    ),
)
