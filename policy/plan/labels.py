"""What the figures and columns of the plan's results are called, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from features.schema import register
from policy.plan.pool_entry import declared
from policy.plan.rows import Plan

__all__ = ["TIERS", "WORDS", "label", "tier_list"]

Words = tuple[str, str]

TIERS: Mapping[str, str] = {
    "innovative_sme": "innovative SME",
    "tech_sme": "technology SME",
    "srdi_municipal": "municipal SRDI firm",
    "srdi_provincial": "provincial SRDI firm",
    "little_giant": "little giant",
    "key_little_giant": "key little giant",
    "single_champion": "single champion",
    "single_champion_product": "single-champion product",
    "gazelle": "gazelle",
    "potential_unicorn": "potential unicorn",
    "unicorn": "unicorn",
    "above_scale": "firm above scale",
}
"""The English of the tiers; the Chinese is the register's."""

WORDS: Mapping[str, Words] = {
    # targets
    "value": ("完成值", "value"),
    "goal": ("目标值", "goal"),
    "task": ("分解任务", "task"),
    "task_sum": ("任务分解合计", "sum of the districts' tasks"),
    "completion_pct": ("完成率(%)", "completion (%)"),
    "mean_completion_pct": ("平均完成率(%)", "mean completion (%)"),
    "remaining": ("尚差", "still missing"),
    "forecast": ("预计期末值", "expected at the deadline"),
    "forecast_low": ("90%区间下限", "low end of the 90 % interval"),
    "forecast_high": ("90%区间上限", "high end of the 90 % interval"),
    "low": ("90%区间下限", "low end of the 90 % interval"),
    "high": ("90%区间上限", "high end of the 90 % interval"),
    "chance_of_goal": ("达到目标的估计概率", "chance of reaching the goal"),
    "chance": ("估计概率", "chance"),
    "stock": ("有效存量", "valid stock"),
    "cumulative": ("累计认定", "recognised in all"),
    "new": ("本年新增", "new this year"),
    "other_in": ("迁入或恢复", "moved in or restored"),
    "expired": ("本年到期", "expired this year"),
    "revoked": ("本年撤销", "revoked this year"),
    "moved_out": ("本年迁出", "moved out this year"),
    "gone": ("本年注销吊销", "closed this year"),
    "net": ("净增", "net growth"),
    "met": ("符合", "meets the definition"),
    "unknown": ("数据缺失", "data missing"),
    "base": ("统计范围内企业", "firms in the base"),
    "firms": ("企业数", "firms"),
    "no_data": ("缺数据企业", "firms without data"),
    "reached": ("达到目标值", "reach the goal"),
    "weighted": ("合计口径", "of the sums"),
    "mean": ("企业平均", "mean over firms"),
    "main_weighted": ("主营业务收入合计增长", "growth of the sum of main revenue"),
    "main_mean": ("主营业务收入平均增长", "mean growth of main revenue"),
    "profit_weighted": ("净利润合计增长", "growth of the sum of net profit"),
    "profit_mean": ("净利润平均增长", "mean growth of net profit"),
    "share": ("达到目标值的企业占比", "share of firms that reach the goal"),
    "candidates": ("候选企业", "candidates"),
    "short": ("缺口", "shortfall"),
    "records": ("记录数", "records"),
    # places, rows, people
    "level": ("层级", "level"),
    "district": ("区县", "district"),
    "firm_id": ("企业编号", "firm id"),
    "row": ("条目", "row"),
    "id": ("编号", "id"),
    "zh": ("中文名称", "Chinese name"),
    "en": ("英文名称", "English name"),
    "unit_zh": ("单位(中文)", "unit (Chinese)"),
    "unit_en": ("单位(英文)", "unit (English)"),
    "day": ("统计日", "day"),
    "deadline": ("期限", "deadline"),
    "past": ("期限已过", "deadline over"),
    "rank": ("名次", "rank"),
    "place": ("次序", "place"),
    "kind": ("类别", "kind"),
    "name": ("名称", "name"),
    "officer": ("帮扶专员", "officer"),
    "units": ("先进单位候选", "units"),
    "persons": ("先进个人候选", "persons"),
    "districts": ("区县数", "districts"),
    "ranked": ("参加排名", "ranked"),
    "targets": ("目标数", "targets"),
    "with_data": ("有数据", "with data"),
    # catalogue, preference, dimensions
    "programme": ("专项", "programme"),
    "programmes": ("专项数", "programmes"),
    "rows": ("条目数", "rows"),
    "rows_outside": ("目标和保障条目", "rows outside the programmes"),
    "known": ("有记录", "on record"),
    "preferred": ("优先企业", "preferred firms"),
    "share_pct": ("占比(%)", "share (%)"),
    "dimension": ("维度", "dimension"),
    "dimensions": ("维度数", "dimensions"),
    "metric": ("指标", "metric"),
    "q25": ("下四分位", "lower quartile"),
    "median": ("中位数", "median"),
    "q75": ("上四分位", "upper quartile"),
    "traits": ("符合项数", "traits that hold"),
    "all_traits": ("全部符合", "all traits hold"),
    # pools, stages, ladder, reviews
    "pool": ("培育库", "pool"),
    "state": ("状态", "state"),
    "members": ("在库企业", "members"),
    "leaving": ("待出库", "due to leave"),
    "open": ("待核实", "to be checked"),
    "phase": ("阶段", "phase"),
    "none": ("未入", "none"),
    "tier": ("层级", "tier"),
    "stage": ("阶段", "stage"),
    "code": ("阶段", "stage"),
    "upgrade": ("提升", "upgrade"),
    "cultivate": ("培育", "cultivate"),
    "reserve": ("储备", "reserve"),
    "status": ("判定", "verdict"),
    "verdict": ("判定", "verdict"),
    "line": ("提升线", "line"),
    "after": ("补齐差距后估计概率", "chance with the gaps closed"),
    "growth": ("成长性", "growth"),
    "reason_zh": ("理由(中文)", "reason (Chinese)"),
    "reason_en": ("理由(英文)", "reason (English)"),
    "rung": ("现层级", "rung"),
    "next": ("下一层级", "next rung"),
    "law": ("以下一级称号为前提", "the lower title is a condition"),
    "due": ("到期", "due"),
    "expires_on": ("有效期至", "expires on"),
    "reviews_due": ("待复核", "reviews due"),
    "overdue": ("逾期未复核", "overdue"),
    "without_officer": ("未配专员", "without an officer"),
    "in": ("进", "in"),
    "out": ("出", "out"),
    # process
    "budget": ("预算", "budget"),
    "districts_without_budget": ("未登记预算的区县", "districts without a budget"),
    "step": ("环节", "step"),
    "role_zh": ("承办(中文)", "role (Chinese)"),
    "role_en": ("承办(英文)", "role (English)"),
    "recorded": ("已登记", "recorded"),
    "passed": ("通过", "passed"),
    "failed": ("不通过", "failed"),
    "returned": ("退回", "returned"),
    "withdrawn": ("撤回", "withdrawn"),
    "pending": ("待审", "pending"),
    "applications": ("申报数", "applications"),
    "undecided": ("未决定", "undecided"),
}


def tier_list(tiers: Iterable[str]) -> Words:
    """Tiers by name, in both languages.

    >>> tier_list(["little_giant", "gazelle"])
    ('小巨人、瞪羚', 'little giant, gazelle')
    """
    names = [_tier(tier) for tier in tiers]
    return "、".join(zh for zh, _ in names), ", ".join(en for _, en in names)


def _tier(name: str) -> Words:
    zh = register().column("titles", "tier").codes[name][0]
    return zh, TIERS.get(name, name.replace("_", " "))


def label(code: str, plan: Plan) -> Words:
    """What a figure or column is called; names of tiers, pools and rows may stand before it.

    >>> from policy.plan.files import load_plans
    >>> label("little_giant_upgrade", load_plans()["2025"])
    ('小巨人 提升', 'Little giants: upgrade')
    """
    own = _names(plan) | dict(WORDS)
    if code in own:
        return own[code]
    if ">" in code:
        lower, _, higher = code.partition(">")
        (zh, en), (to_zh, to_en) = own[lower], own[higher]
        return f"{zh} → {to_zh}", f"{en} → {to_en}"
    for cut in range(len(code) - 1, 0, -1):
        first, rest = code[:cut], code[cut + 1 :]
        if code[cut] == "_" and first in own and rest in own:
            return f"{own[first][0]} {own[rest][0]}", f"{own[first][1]}: {own[rest][1]}"
    spelled = code.replace("_", " ")
    return spelled, spelled


def _names(plan: Plan) -> dict[str, Words]:
    """Names that data give: columns of the register, tiers, pools, rows and their parts."""
    tables = (register().tables[name].columns.values() for name in ("annual", "firms"))
    found: dict[str, Words] = {c.name: (c.zh, c.en) for columns in tables for c in columns}
    found |= {tier: _tier(tier) for tier in register().column("titles", "tier").codes}
    found |= {pool["id"]: (pool["zh"], pool["en"]) for pool in declared(plan).values()}
    found |= {row.id: (row.zh, row.en) for row in plan.rows}
    for row in plan.rows:
        for parts in ("dimensions", "phases", "indicators", "parts", "order"):
            for part in row.details.get(row.kind, {}).get(parts, ()):
                found[part.get("id") or part["metric"]] = (part["zh"], part["en"])
    return found
