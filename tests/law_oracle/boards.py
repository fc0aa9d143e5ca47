"""北交所上市规则 2.1.2–2.1.4, 新三板股票挂牌规则 2023: gates, sets of standards, what bars a firm.

Market value is in 亿元, all else in 万元. Net profit is the lower of before and after non-recurring
items; R&D is investment, of which the expense is a part.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .completions import Bounds, Firm, Rule
from .entry import free_of
from .figures import growth

BSE_BOUNDS: Bounds = {
    "months_on(neeq_base, neeq_innov)": (12,), "net_assets": (5000,), "share_capital": (3000,),
    "market_cap_est": (2, 4, 8, 15), "profit": (1500, 2500), "profit[-1]": (1500,),
    "weighted_roe_pct": (8,), "roe_mean": (8,), "revenue_mean": (10_000,), "growth": (30,),
    "operating_cash_flow": (0,), "revenue": (20_000,), "rd_share": (8,), "rd_sum": (5000,),
    "audit_opinion": ("unqualified", "emphasis", "qualified", "adverse", "disclaimer"),
    "audit_opinion[-1]": ("unqualified", "emphasis", "qualified", "adverse", "disclaimer"),
    "audit_opinion[-2]": ("unqualified", "emphasis", "qualified", "adverse", "disclaimer"),
}  # fmt: skip
BSE_FINDINGS = ("offering", "capital_after", "holders_after", "public_float")


def profit(firm: Firm, back: str = "") -> Any:
    """The lower of both; profit before the deduction alone is only the most it can be."""
    after, before = firm.inputs.get(f"net_profit_adj{back}"), firm.inputs.get(f"net_profit{back}")
    if after is not None:
        return after if before is None else min(after, before)
    return firm.free(f"profit{back}", None, before)


def net_assets(firm: Firm) -> Any:
    stated = firm.inputs.get("net_assets")
    assets, debts = firm.inputs.get("total_assets"), firm.inputs.get("total_liabilities")
    if stated is not None:
        return stated
    return firm.free("net_assets") if assets is None or debts is None else assets - debts


def mean_of_two(firm: Firm, figure: str, column: str) -> Any:
    now, before = firm.inputs.get(column), firm.inputs.get(f"{column}[-1]")
    if now is None or before is None:
        return firm.free(figure)
    return (now + before) / Fraction(2)


def rd_years(firm: Firm) -> tuple[list[Any], list[Any]]:
    """The least and the most that R&D investment of each year may be; None where it is open."""
    invested = [firm.inputs.get(f"rd_invest{back}") for back in ("", "[-1]")]
    spent = [firm.inputs.get(f"rd_expense{back}") for back in ("", "[-1]")]
    return [s if i is None else i for i, s in zip(invested, spent, strict=True)], invested


def rd_sum(firm: Firm) -> Any:
    """Of two years; R&D is not negative, so that one year on record bounds the sum."""
    least, most = rd_years(firm)
    known = [year for year in least if year is not None]
    return sum(most) if None not in most else firm.free("rd_sum", sum(known) if known else None)


def rd_share(firm: Firm) -> Any:
    """Of the sums of two years."""
    least, most = rd_years(firm)
    now, before = firm.inputs.get("revenue"), firm.inputs.get("revenue[-1]")
    if now is None or before is None or now + before == 0 or None in least:
        return firm.free("rd_share")
    found = Fraction(100) * sum(least) / (now + before)
    return found if None not in most else firm.free("rd_share", found)


def one_year_growth(firm: Firm) -> Any:
    found = growth(firm, "revenue")
    return firm.free("growth") if found is None else found


def standards(firm: Firm) -> bool:
    """One of four sets; each asks for a higher market value than the one before."""
    cap = firm.need("market_cap_est")
    return (
        (cap >= 2 and _set_1(firm))
        or bool(
            cap >= 4
            and mean_of_two(firm, "revenue_mean", "revenue") >= 10_000
            and one_year_growth(firm) >= 30
            and firm.need("operating_cash_flow") > 0
        )
        or bool(cap >= 8 and firm.need("revenue") >= 20_000 and rd_share(firm) >= 8)
        or bool(cap >= 15 and rd_sum(firm) >= 5000)
    )


def _set_1(firm: Firm) -> bool:
    if profit(firm) >= 2500 and firm.need("weighted_roe_pct") >= 8:
        return True
    return bool(
        profit(firm) >= 1500
        and profit(firm, "[-1]") >= 1500
        and mean_of_two(firm, "roe_mean", "weighted_roe_pct") >= 8
    )


def unqualified(firm: Firm) -> bool:
    """Three years without qualification; a paragraph of emphasis is none."""
    opinions = (firm.need(f"audit_opinion{back}") for back in ("", "[-1]", "[-2]"))
    return all(opinion in ("unqualified", "emphasis") for opinion in opinions)


BSE: dict[str, Rule] = {
    "innovation_layer": lambda firm: bool(firm.need("on_board(neeq_innov)")),
    "quoted_12_months": lambda firm: firm.need("months_on(neeq_base, neeq_innov)") >= 12,
    "net_assets": lambda firm: net_assets(firm) >= 5000,
    "offering": lambda firm: firm.finding("offering"),
    "capital_after": lambda firm: (
        firm.need("share_capital") >= 3000 or firm.finding("capital_after")
    ),
    "holders_after": lambda firm: firm.finding("holders_after"),
    "public_float": lambda firm: firm.finding("public_float"),
    "standards": standards,
    "audit_opinion": unqualified,
    "true_statements": free_of("recent(false_statements, 36)"),
    "no_crime": free_of("recent(crime, 36)"),
    "no_major_violation": free_of("recent(major_violation, 36)"),
    "no_csrc_penalty": free_of("recent(csrc_penalty, 12)"),
    "timely_reports": free_of("recent(report_overdue, 36)"),
    "not_investigated": free_of("open(investigation)"),
    "not_judgment_debtor": free_of("open(judgment_debtor)"),
    "no_fund_occupation": free_of("open(fund_occupation)"),
    "clear_equity": free_of("open(equity_dispute)"),
    "no_material_dispute": free_of("open(material_dispute)"),
    "permitted_industry": free_of("has(negative_list, bse)"),
}
BSE_RECORDS = ("recent(false_statements, 36)", "recent(crime, 36)", "recent(major_violation, 36)",
               "recent(csrc_penalty, 12)", "recent(report_overdue, 36)", "open(investigation)",
               "open(judgment_debtor)", "open(fund_occupation)", "open(equity_dispute)",
               "open(material_dispute)", "has(negative_list, bse)")  # fmt: skip

# ------------------------------------------------------------------------------ 新三板

NEEQ_BOUNDS: Bounds = {
    "legal_form": ("limited", "joint_stock"), "share_capital": (500,), "full_years": (1, 2),
    "rd_invest": (1000,), "prof_equity_12m": (2000,), "prof_equity_24m": (2000,),
    "market_makers": (4,), "market_cap_est": (1,), "a_share": (1,), "profit": (0, 600, 9999),
    "profit[-1]": (0, 9999), "revenue_mean": (3000, 5000), "growth": (20,), "revenue": (3000,),
    "operating_cash_flow": (0,), "operating_cash_flow[-1]": (0,), "rd_share": (5,),
    "rd_sum": (1000,), "audit_opinion": BSE_BOUNDS["audit_opinion"],
    "audit_opinion[-1]": BSE_BOUNDS["audit_opinion"],
}  # fmt: skip
NEEQ_FINDINGS = ("new_economy", "lawful_issues", "governance", "going_concern", "sponsor")


def full_years(firm: Firm) -> Any:
    """Whole fiscal years of existence; who was founded on New Year's Day has that year, too."""
    founded = firm.inputs.get("founded_on")
    if founded is None:
        return firm.free("full_years")
    whole = (founded.month, founded.day) == (1, 1)
    return firm.inputs["fiscal_year"] - founded.year + whole


def market_making(firm: Firm) -> bool:
    return bool(firm.need("market_makers") >= 4 and firm.need("market_cap_est") >= 1)


def rd_of_the_year(firm: Firm) -> Any:
    invested = firm.inputs.get("rd_invest")
    return firm.free("rd_invest", firm.inputs.get("rd_expense")) if invested is None else invested


def equity_of_a_year(firm: Firm) -> bool:
    return bool(rd_of_the_year(firm) >= 1000 and firm.need("prof_equity_12m") >= 2000)


def existence(firm: Firm) -> bool:
    """Two full years; of the new economy one, with R&D and equity or market makers."""
    years = full_years(firm)
    if years >= 2:
        return True
    young = equity_of_a_year(firm) or market_making(firm)
    return bool(years >= 1 and young and firm.finding("new_economy"))


def net_assets_a_share(firm: Firm) -> Any:
    stated = firm.inputs.get("net_assets_per_share")
    whole, shares = firm.inputs.get("net_assets"), firm.inputs.get("share_capital")
    if stated is not None:
        return stated
    return firm.free("a_share") if whole is None or not shares else Fraction(whole) / shares


def finance(firm: Firm) -> bool:
    """One of five sets."""
    cash = ("operating_cash_flow", "operating_cash_flow[-1]")
    return (
        bool(profit(firm) >= 600)
        or bool(profit(firm) > 0 and profit(firm, "[-1]") > 0
                and profit(firm) + profit(firm, "[-1]") >= 800)
        or bool(mean_of_two(firm, "revenue_mean", "revenue") >= 3000
                and one_year_growth(firm) >= 20)
        or bool(mean_of_two(firm, "revenue_mean", "revenue") >= 5000
                and all(firm.need(name) > 0 for name in cash))
        or bool(firm.need("revenue") >= 3000 and rd_share(firm) >= 5)
        or bool(firm.need("prof_equity_24m") >= 2000 and rd_sum(firm) >= 1000)
        or equity_of_a_year(firm)
        or market_making(firm)
    )  # fmt: skip


NEEQ: dict[str, Rule] = {
    "joint_stock": lambda firm: firm.need("legal_form") == "joint_stock",
    "share_capital": lambda firm: firm.need("share_capital") >= 500,
    "fiscal_years": existence,
    "lawful_issues": lambda firm: firm.finding("lawful_issues"),
    "governance": lambda firm: firm.finding("governance"),
    "going_concern": lambda firm: firm.finding("going_concern"),
    "sponsor": lambda firm: firm.finding("sponsor"),
    "net_assets_a_share": lambda firm: net_assets_a_share(firm) >= 1,
    "finance": finance,
    "audit_opinion": lambda firm: all(
        firm.need(f"audit_opinion{back}") in ("unqualified", "emphasis") for back in ("", "[-1]")
    ),
    "true_statements": free_of("recent(false_statements, 24)"),
    "no_crime": free_of("recent(crime, 24)"),
    "no_major_violation": free_of("recent(major_violation, 24)"),
    "no_csrc_penalty": free_of("recent(csrc_penalty, 12)"),
    "not_investigated": free_of("open(investigation)"),
    "not_judgment_debtor": free_of("open(judgment_debtor)"),
    "no_fund_occupation": free_of("open(fund_occupation)"),
    "clear_equity": free_of("open(equity_dispute)"),
    "no_material_dispute": free_of("open(material_dispute)"),
}
NEEQ_RECORDS = ("recent(false_statements, 24)", "recent(crime, 24)", "recent(major_violation, 24)")
