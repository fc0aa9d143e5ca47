"""History: age, titles held, adverse and capital-market events, as facts at the as-of date."""

from __future__ import annotations

from features.catalogue.measures import feature
from features.expr import fact, log

__all__ = ["FEATURES"]

FEATURES = (
    feature(
        "age | 成立年限 | Age of the firm | ln 年",
        log(fact("age_years")),
        "scale.governance",
        actionable=False,
    ),
    feature(
        "tier_held | 现有最高梯度 | Highest tier held | 级",
        fact("tier_held"),
        "character.special",
        +1,
        actionable=False,
    ),
    feature(
        "titles_held | 有效称号数 | Valid titles | 个",
        fact("titles_held"),
        "character.special",
        +1,
        actionable=False,
    ),
    feature(
        "years_in_tier | 持有最高梯度年限 | Years in the highest tier | 年",
        fact("years_in_tier"),
        "character.special",
        actionable=False,
    ),
    feature(
        "adverse_3y | 近三年负面事件 | Adverse events in 3 years | 件",
        fact("adverse_3y"),
        "character.governance",
        -1,
    ),
    feature(
        "market_steps | 资本市场阶段事件 | Steps towards the capital market | 件",
        fact("market_steps"),
        "growth.finance",
        +1,
    ),
    feature(
        "joint_stock | 股份有限公司 | Joint-stock company | 是/否",
        fact("joint_stock"),
        "character.governance",
    ),
)
