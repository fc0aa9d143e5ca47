"""The firm-year as it would be written: a full, consistent statement from the state of the firm.

Assets = liabilities + equity, parts never exceed their whole, profit follows from its lines. What
reaches the city of it, and when, is the matter of ``city.reports``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from city.parameters import Floats, Stream
from city.world import State, View, World

__all__ = ["statement"]

Columns = dict[str, Floats]
LEVELS: Mapping[str, tuple[str, ...]] = {
    "rd_institution_level": ("none", "below_muni", "muni", "prov", "nat"),
    "quality_award_level": ("none", "city", "prov", "nat"),
    "smart_factory_level": ("none", "city", "prov", "nat"),
}


def statement(world: World, after: State, rows: NDArray[np.int64], stream: Stream) -> dict[
    str, NDArray[np.generic]
]:
    """Return the columns of year ``after.year - 1`` of the firms in ``rows``."""
    view = View(world, after).rows(rows)
    rng = stream("statement")
    money = _profit(world, after, rows, rng)
    money |= _balance(world, after, rows, money, rng)
    people = _people(world, after, rows, rng)
    rights = _rights(after, rows, rng)
    market = _market(view, money["revenue"], world.traits.main_ratio[rows], rng)
    columns: dict[str, NDArray[np.generic]] = {}
    for name, values in (money | market).items():
        columns[name] = np.round(values, 2)
    columns |= people | rights | _quality(view, rng)
    columns["audited"] = np.zeros(len(rows))  # set by city.reports
    return columns


def _profit(world: World, after: State, rows: NDArray[np.int64], rng: np.random.Generator) -> Columns:
    a, s, books = world.parameters.section("accounts"), world.parameters.section("statement"), after.books
    revenue = np.round(np.exp(books.size[rows]), 2)
    debt, intensity = books.debt[rows], np.exp(books.intensity[rows])
    opex, gross = books.opex[rows], books.gross[rows]
    interest = a["interest_rate"] * a["loan_share"] * debt * intensity
    selling = opex * np.clip(s["selling_share"] + rng.normal(0, 0.08, len(rows)), 0.1, 0.8)
    pretax, net = books.before_tax[rows], books.margin[rows]
    operating = gross - opex - books.rd[0][rows] - a["surcharge"] - interest
    grants = np.maximum(rng.normal(s["grant_rate"], s["grant_rate"], len(rows)), 0.0)
    ratios = {
        "cost_of_sales": 1.0 - gross,
        "gross_profit": gross,
        "selling_expense": selling,
        "admin_expense": opex - selling,
        "rd_expense": books.rd[0][rows],
        "interest_expense": interest,
        "financial_expense": interest * 1.05,
        "operating_profit": operating,
        "profit_before_tax": pretax,
        "net_profit": net,
        "net_profit_adj": net - np.minimum(grants, 0.02),
        "government_grants": grants,
        "tax_paid": a["surcharge"] + a["tax"] * np.maximum(pretax, 0.0) + 0.025 * gross,
        "rd_invest": books.rd[0][rows] * (1.0 + np.maximum(rng.normal(0.02, 0.06, len(rows)), 0)),
    }
    return {"revenue": revenue} | {name: revenue * ratio for name, ratio in ratios.items()}


def _balance(
    world: World, after: State, rows: NDArray[np.int64], money: Columns, rng: np.random.Generator
) -> Columns:
    s, books, n = world.parameters.section("statement"), after.books, len(rows)
    assets = np.round(money["revenue"] * np.exp(books.intensity[rows]), 2)
    liabilities = np.round(assets * books.debt[rows], 2)
    share = world.traits.current_share[rows]
    current = np.round(assets * share, 2)
    owed = np.minimum(current / np.maximum(books.liquidity[rows], 0.05), 0.97 * liabilities)
    wish = np.array([s["cash_share"], s["receivable_share"], s["inventory_share"]])[:, None]
    parts = wish * np.exp(rng.normal(0, s["share_noise"], (3, n)))
    parts[0] *= np.exp(0.35 * after.latent[3][rows])
    parts = parts / np.maximum(parts.sum(axis=0) / 0.96, 1.0) * current
    loans = liabilities * world.parameters.number("accounts", "loan_share")
    equity = assets - liabilities
    start = np.exp(world.traits.start_size[rows] + world.traits.intensity[rows])
    capital = np.round(s["capital_share"] * start, 2)
    fixed = (assets - current) * 0.7
    short = np.minimum(0.7 * loans, 0.6 * owed)
    depreciation = s["depreciation"] * assets
    flow = money["net_profit"] + depreciation + 0.02 * rng.standard_normal(n) * money["revenue"]
    flow -= 0.12 * money["revenue"] * np.maximum(books.growth[0][rows], -0.3)
    return {
        "total_assets": assets,
        "current_assets": current,
        "noncurrent_assets": assets - current,
        "cash": parts[0],
        "receivables": parts[1],
        "inventories": parts[2],
        "fixed_assets": fixed,
        "intangible_assets": (assets - current) * 0.12,
        "total_liabilities": liabilities,
        "current_liabilities": np.round(owed, 2),
        "noncurrent_liabilities": liabilities - np.round(owed, 2),
        "short_term_borrowings": short,
        "long_term_borrowings": np.minimum(loans - short, liabilities - owed),
        "payables": 0.35 * owed,
        "net_assets": equity,
        "share_capital": capital,
        "retained_earnings": equity - capital,
        "net_assets_per_share": equity / np.maximum(capital, 1.0),
        "depreciation": depreciation,
        "operating_cash_flow": flow,
    }


def _people(
    world: World, after: State, rows: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    s, size = world.parameters.section("statement"), after.books.size[rows]
    year = after.year - 1
    per_head = world.traits.productivity[rows] + s["productivity_size"] * (size - 8.0)
    per_head += 0.03 * (year - 2018)
    heads = np.exp(size - per_head + rng.normal(0, 0.06, len(rows)))
    employees = np.maximum(np.round(heads), 1.0)
    part = np.clip(1.6 * after.books.rd[0][rows] ** 0.8 + rng.normal(0, 0.02, len(rows)), 0, 0.8)
    staff = np.floor(employees * part)
    wage = s["wage"] * (1 + s["wage_growth"]) ** (year - 2015)
    return {
        "employees": employees,
        "rd_staff": staff,
        "tech_staff": np.minimum(np.floor(staff * 1.25) + (part > 0.05), employees),
        "social_security_base": np.round(employees * wage * np.exp(rng.normal(0, 0.15, len(rows))), 2),
    }


def _rights(
    after: State, rows: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    class1 = after.books.class1[rows]
    innovation = after.latent[0][rows]
    own = rng.binomial(class1, 0.85)
    quality = 1.0 / (1.0 + np.exp(-(innovation - 0.5)))
    second = rng.poisson(np.exp(0.6 + 0.4 * innovation + 0.5 * np.log1p(class1)))
    counts = {
        "class1_ip": class1,
        "class1_ip_self": own,
        "class1_ip_high_value": rng.binomial(own, 0.45 * quality),
        "class1_ip_effective": rng.binomial(class1, 0.35 + 0.45 * quality),
        "class2_ip": second,
        "ip_transferred_in": class1 - own,
        "invention_patents": class1,
        "standards_joined": rng.poisson(np.exp(-2.2 + 0.7 * innovation)),
        "standards_led": rng.poisson(np.exp(-3.8 + 0.8 * innovation)),
    }
    return {name: values.astype(float) for name, values in counts.items()}


def _market(
    view: Mapping[str, Floats], revenue: Floats, main: Floats, rng: np.random.Generator
) -> Columns:
    share = np.minimum(100.0 * view["share"], 95.0)
    rank = np.maximum(np.round(60.0 * np.exp(-0.16 * share + rng.normal(0, 0.3, len(share)))), 1)
    main_part = np.clip(main + rng.normal(0, 0.02, len(main)), 0.05, 1.0)
    export = np.maximum(rng.normal(0.15, 0.12, len(main)), 0) * (view["ambition"] > 0.4)
    return {
        "main_revenue": revenue * main_part,
        "main_product_revenue": revenue * main_part * 0.93,
        "overseas_revenue": revenue * export,
        "years_in_niche": view["niche_years"],
        "niche_share_national_pct": share,
        "niche_rank_national": rank,
        "niche_rank_province": np.maximum(np.round(rank / 4), 1),
    }


def _level(z: Floats, cuts: tuple[float, ...], names: tuple[str, ...]) -> NDArray[np.str_]:
    return np.array(names)[np.digitize(z, cuts)]


def _quality(view: View, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    innovation, management, market = view["innovation"], view["management"], view["market"]
    n = len(innovation)

    def noise() -> Floats:
        return rng.normal(0, 0.35, n)

    scale = 0.5 * (view["size"] - 8.0)
    lab = innovation + scale + noise()
    digital = 2.0 + 0.6 * management + 0.3 * scale + noise()
    return {
        "rd_institution_level": _level(lab, (0.2, 0.8, 1.9, 3.4), LEVELS["rd_institution_level"]),
        "quality_award_level": _level(
            management + scale + noise(), (1.5, 2.6, 4.2), LEVELS["quality_award_level"]
        ),
        "smart_factory_level": _level(
            digital - 2 + scale + noise(), (1.0, 2.2, 3.6), LEVELS["smart_factory_level"]
        ),
        "digital_level": np.clip(np.round(digital), 1, 4),
        "iso_cert": (management + 0.5 * scale + noise() > -0.3).astype(float),
        "own_brand": (market + noise() > -0.2).astype(float),
        "trademarks": rng.poisson(np.exp(0.6 * np.clip(market, -2, 3))).astype(float),
        "supplies_chain_leader": (market + scale + noise() > 1.2).astype(float),
        "fills_gap_flag": (innovation + noise() > 1.6).astype(float),
    }
