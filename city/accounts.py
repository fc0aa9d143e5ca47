"""The firm-year as it would be written: a full, consistent statement from the state of the firm.

Assets = liabilities + equity, parts never exceed their whole, profit follows from its lines. What
reaches the city of it, and when, is the matter of ``city.reports``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from city.parameters import Floats, Stream, sigmoid
from city.state import State, View, World

__all__ = ["MONEY", "borrowings", "statement"]

Columns = dict[str, Floats]
LEVELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "rd_institution_level": ("institution", ("none", "below_muni", "muni", "prov", "nat")),
    "quality_award_level": ("quality_award", ("none", "city", "prov", "nat")),
    "smart_factory_level": ("smart_factory", ("none", "city", "prov", "nat")),
}
MONEY = frozenset({
    "revenue", "cost_of_sales", "gross_profit", "selling_expense", "admin_expense",
    "rd_expense", "rd_invest", "interest_expense", "financial_expense", "cost_expense_total",
    "operating_profit",
    "profit_before_tax", "net_profit", "net_profit_adj", "government_grants", "tax_paid",
    "total_assets", "current_assets", "noncurrent_assets", "cash", "receivables", "inventories",
    "fixed_assets", "intangible_assets", "total_liabilities", "current_liabilities",
    "noncurrent_liabilities", "short_term_borrowings", "long_term_borrowings", "payables",
    "net_assets", "share_capital", "retained_earnings", "depreciation", "operating_cash_flow",
    "main_revenue", "main_product_revenue", "overseas_revenue",
})  # fmt: skip
"""What is in 万元 and scales with the statement's unit."""


@dataclass(frozen=True, slots=True)
class Firms:
    """The firms that write, and the numbers they write with."""

    world: World
    after: State
    rows: NDArray[np.int64]
    view: View
    rng: np.random.Generator

    @property
    def numbers(self) -> Mapping[str, Any]:
        return self.world.parameters.section("statement")

    @property
    def count(self) -> int:
        return len(self.rows)

    def noise(self, sd: float) -> Floats:
        return self.rng.normal(0.0, sd, self.count)

    def taste(self, number: int) -> Floats:
        """A lasting habit of the firm, standard normal."""
        return np.asarray(self.world.traits.taste[number][self.rows])


def statement(
    world: World, after: State, rows: NDArray[np.int64], stream: Stream
) -> dict[str, NDArray[Any]]:
    """Return the columns of year ``after.year - 1`` of the firms in ``rows``."""
    firms = Firms(world, after, rows, View(world, after).rows(rows), stream("statement"))
    money = _profit(firms)
    money |= _balance(firms, money)
    money |= _cash_flow(firms, money) | _sales(firms, money["revenue"])
    money |= _market_value(firms, money)
    columns: dict[str, NDArray[Any]] = {name: np.round(money[name], 2) for name in money}
    return columns | _people(firms) | _rights(firms) | _niche(firms) | _quality(firms)


def _profit(firms: Firms) -> Columns:
    a, s = firms.world.parameters.section("accounts"), firms.numbers
    books, rows = firms.after.books, firms.rows
    revenue = np.round(np.exp(books.size[rows]), 2)
    opex, gross, rd = books.opex[rows], books.gross[rows], books.rd[0][rows]
    interest = a["interest_rate"] * a["loan_share"] * books.debt[rows]
    interest = interest * np.exp(books.intensity[rows])
    habit = s["selling_noise"] * firms.taste(0)
    selling = opex * np.clip(s["selling_share"] + habit, 0.1, 0.8)
    pretax, net = books.before_tax[rows], books.margin[rows]
    grants = np.maximum(s["grant_rate"] + firms.noise(s["grant_rate"]), 0.0)
    mean, sd = s["capitalised_rd"]
    tax = a["surcharge"] + a["tax"] * np.maximum(pretax, 0.0)
    ratios = {
        "cost_of_sales": 1.0 - gross,
        "gross_profit": gross,
        "selling_expense": selling,
        "admin_expense": opex - selling,
        "rd_expense": rd,
        "rd_invest": rd * (1.0 + np.maximum(mean + firms.noise(sd), 0.0)),
        "interest_expense": interest,
        "financial_expense": interest * s["financial_cost"],
        "cost_expense_total": 1.0
        - gross
        + opex
        + rd
        + interest * s["financial_cost"]
        + a["surcharge"],
        "operating_profit": gross - opex - rd - a["surcharge"] - interest,
        "profit_before_tax": pretax,
        "net_profit": net,
        "net_profit_adj": net - np.minimum(grants, s["grant_max"]),
        "government_grants": grants,
        "tax_paid": tax + s["value_added_tax"] * gross,
    }
    return {"revenue": revenue} | {name: revenue * ratio for name, ratio in ratios.items()}


@dataclass(frozen=True, slots=True)
class Debts:
    """What a firm has and owes, as far as it follows from its books alone."""

    assets: Floats
    liabilities: Floats
    current: Floats
    owed: Floats  # current liabilities
    short: Floats  # borrowings, short-term and long-term
    long: Floats


def _debts(world: World, after: State, rows: NDArray[np.int64], revenue: Floats) -> Debts:
    s, books = world.parameters.section("statement"), after.books
    assets = np.round(revenue * np.exp(books.intensity[rows]), 2)
    liabilities = np.round(assets * books.debt[rows], 2)
    current = np.round(assets * world.traits.current_share[rows], 2)
    owed = current / np.maximum(books.liquidity[rows], 0.05)
    owed = np.round(np.minimum(owed, s["current_debt"] * liabilities), 2)
    loans = liabilities * world.parameters.number("accounts", "loan_share")
    short = np.minimum(s["short_loans"] * loans, s["short_loans_max"] * owed)
    long = np.minimum(loans - short, liabilities - owed)
    return Debts(assets, liabilities, current, owed, short, long)


def borrowings(world: World, after: State, rows: NDArray[np.int64]) -> Floats:
    """Return what the firms in ``rows`` have borrowed at the end of ``after.year - 1``, 万元."""
    due = _debts(world, after, rows, np.exp(after.books.size[rows]).round(2))
    return np.asarray(np.round(due.short, 2) + np.round(due.long, 2))


def _balance(firms: Firms, money: Columns) -> Columns:
    s, rows, traits = firms.numbers, firms.rows, firms.world.traits
    due = _debts(firms.world, firms.after, rows, money["revenue"])
    assets, liabilities, current, owed = due.assets, due.liabilities, due.current, due.owed
    wish = np.array([s["cash_share"], s["receivable_share"], s["inventory_share"]])[:, None]
    parts = wish * np.exp(firms.rng.normal(0, s["share_noise"], (3, firms.count)))
    parts[0] *= np.exp(s["cash_finance"] * firms.view["finance"])
    parts = parts / np.maximum(parts.sum(axis=0) / s["named_share"], 1.0) * current
    start = np.exp(traits.start_size[rows] + traits.intensity[rows])
    capital = np.round(s["capital_share"] * start, 2)
    equity = assets - liabilities
    return {
        "total_assets": assets,
        "current_assets": current,
        "noncurrent_assets": assets - current,
        "cash": parts[0],
        "receivables": parts[1],
        "inventories": parts[2],
        "fixed_assets": (assets - current) * s["fixed_share"],
        "intangible_assets": (assets - current) * s["intangible_share"],
        "total_liabilities": liabilities,
        "current_liabilities": owed,
        "noncurrent_liabilities": liabilities - owed,
        "short_term_borrowings": due.short,
        "long_term_borrowings": due.long,
        "payables": s["payable_share"] * owed,
        "net_assets": equity,
        "share_capital": capital,
        "retained_earnings": equity - capital,
        "net_assets_per_share": equity / np.maximum(capital, 1.0),
    }


def _cash_flow(firms: Firms, money: Columns) -> Columns:
    s, growth = firms.numbers, firms.view["growth"]
    depreciation = s["depreciation"] * money["total_assets"]
    tied = s["cash_growth"] * np.maximum(growth, -0.3) - firms.noise(s["cash_noise"])
    flow = money["net_profit"] + depreciation - tied * money["revenue"]
    return {"depreciation": depreciation, "operating_cash_flow": flow}


def _market_value(firms: Firms, money: Columns) -> Columns:
    """What a firm that means to list is taken to be worth, in 亿元; nobody values the others."""
    s = firms.numbers
    earning = s["price_to_profit"] * np.maximum(money["net_profit_adj"], 0.0)
    worth = np.maximum(earning, s["price_to_sales"] * money["revenue"]) / 10_000.0
    return {"market_cap_est": np.where(firms.view["ambition"] > s["valued"], worth, np.nan)}


def _sales(firms: Firms, revenue: Floats) -> Columns:
    s = firms.numbers
    main = np.clip(firms.view["main_ratio"] + firms.noise(s["main_ratio_noise"]), 0.05, 1.0)
    export = s["export_share"] * np.exp(0.5 * firms.taste(1)) + firms.noise(s["export_noise"])
    export = np.clip(export, 0.0, 0.9) * (firms.view["ambition"] > s["exporters"])
    return {
        "main_revenue": revenue * main,
        "main_product_revenue": revenue * main * s["product_share"],
        "overseas_revenue": revenue * export,
    }


def _people(firms: Firms) -> Columns:
    s, size, year = firms.numbers, firms.view["size"], firms.after.year - 1
    per_head = firms.world.traits.productivity[firms.rows]
    per_head = per_head + s["productivity_size"] * (size - s["size_at"])
    per_head += s["productivity_growth"] * (year - 2018)
    heads = np.exp(size - per_head + firms.noise(s["heads_noise"]))
    employees = np.maximum(np.round(heads), 1.0)
    factor, power, sd = s["rd_people"]
    part = np.clip(factor * firms.view["rd_ratio"] ** power + firms.noise(sd), 0.0, 0.8)
    staff = np.floor(employees * part)
    wage = (
        s["wage"] * (1 + s["wage_growth"]) ** (year - 2015) * np.exp(s["wage_sd"] * firms.taste(2))
    )
    return {
        "employees": employees,
        "rd_staff": staff,
        "tech_staff": np.minimum(np.floor(staff * s["tech_people"]), employees),
        "social_security_base": np.round(employees * wage, 2),
    }


def _rights(firms: Firms) -> Columns:
    s, innovation, class1 = firms.numbers, firms.view["innovation"], firms.view["class1"]
    own = np.round(class1 * sigmoid(s["own_right"] + firms.taste(3)))
    quality = sigmoid(innovation - 0.5)
    constant, slope, more = s["class2"]
    second = np.exp(constant + slope * innovation + more * np.log1p(class1))
    joined, led = s["standards_joined"], s["standards_led"]
    habit = np.exp(0.5 * firms.taste(4))
    used = np.floor(class1 * (0.35 + 0.45 * quality))
    leading = np.exp(led[0] + led[1] * innovation) * 4 * habit
    return {
        "class1_ip": class1,
        "class1_ip_self": own,
        "class1_ip_high_value": np.floor(own * 0.45 * quality),
        "class1_ip_effective": used,
        "class1_ip_top3_owner": class1 - np.floor(class1 * s["late_owner"]),
        "class2_ip": np.round(second * habit),
        "class2_ip_any": np.round(second * habit * s["class2_young"]),
        "ip_transferred_in": class1 - own,
        "invention_patents": class1,
        "invention_patents_applied": used,
        "standards_joined": np.floor(np.exp(joined[0] + joined[1] * innovation) * 4 * habit),
        "standards_led": np.floor(leading),
        "standards_led_5y": np.floor(leading * s["standards_official"]),
    }


def _niche(firms: Firms) -> Columns:
    s, share = firms.numbers, np.minimum(100.0 * firms.view["share"], 95.0)
    log = np.log(s["rank_first"]) + s["rank_slope"] * share + s["rank_sd"] * firms.taste(5)
    rank = np.maximum(np.round(np.exp(log)), 1.0)
    return {
        "years_in_niche": firms.view["niche_years"],
        "niche_share_national_pct": np.round(share, 2),
        "niche_rank_national": rank,
        "niche_rank_global": np.round(rank * s["rank_global"]),
        "niche_rank_province": np.maximum(np.round(rank * s["rank_province"]), 1.0),
    }


def _level(value: Floats, cuts: Sequence[float], names: tuple[str, ...]) -> NDArray[Any]:
    return np.array(names)[np.digitize(value, cuts)]


def _quality(firms: Firms) -> dict[str, NDArray[Any]]:
    s, view = firms.numbers, firms.view
    innovation, management, market = view["innovation"], view["management"], view["market"]
    habits = [s["habit"] * firms.taste(number) for number in range(6, 12)]
    scale = s["size_weight"] * (view["size"] - s["size_at"])
    constant, by_management, by_size = s["digital"]
    digital = constant + by_management * management + by_size * scale + habits[0]
    values = {
        "rd_institution_level": innovation + scale + habits[1],
        "quality_award_level": management + scale + habits[2],
        "smart_factory_level": digital - constant + scale,
    }
    made: dict[str, NDArray[Any]] = {
        name: _level(value, s[LEVELS[name][0]], LEVELS[name][1]) for name, value in values.items()
    }
    marks = np.exp(s["trademarks"] * (np.clip(market, -2, 3) + habits[3]))
    return made | {
        "digital_level": np.clip(np.round(digital), 1, 4),
        "iso_cert": (management + 0.5 * scale + habits[4] > s["iso"]).astype(float),
        "time_honored_brand": (habits[3] > s["time_honored"]).astype(float),
        "own_brand": (market + habits[3] > s["brand"]).astype(float),
        "trademarks": np.floor(marks),
        "supplies_chain_leader": (market + scale + habits[5] > s["leader"]).astype(float),
        "fills_gap_flag": (innovation + habits[1] > s["gap"]).astype(float),
    }
