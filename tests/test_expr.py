"""Formulas against a naive calculation firm by firm and year by year."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scramble import history
from features import expr as e
from features.catalogue import BUILT_IN
from features.cube import Cube, EveryYear, Window
from features.expr import Expr
from features.facts import FACTS
from features.panel import Panel
from features.schema import FAMILIES, register
from features.spec import FeatureSpec
from tidu.errors import Refused

Numbers = dict[tuple[str, int], dict[str, object]]
NAN = math.nan
YEARS = range(2015, 2022)

amount = st.none() | st.sampled_from([-100.0, -1.0, 0.0, 1e-300, 1.0, 50.0, 121.0, 1e300])
cell = st.fixed_dictionaries(
    {
        "revenue": amount,
        "net_profit": amount,
        "total_assets": amount,
        "revenue_growth_pct": amount,
        "reporting_basis": st.sampled_from(["consolidated", "parent", None]),
        "currency": st.sampled_from(["CNY", "CNY", "KRW"]),
    }
)
accounts: st.SearchStrategy[Numbers] = st.dictionaries(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(YEARS)), cell, min_size=1, max_size=14
)


def panel(rows: Numbers) -> Panel:
    frame = pd.DataFrame([{"firm_id": f, "year": y, **cells} for (f, y), cells in rows.items()])
    for name in ("revenue", "net_profit", "total_assets", "revenue_growth_pct"):
        frame[name] = frame[name].astype("float64")
    for name in ("firm_id", "reporting_basis", "currency"):
        frame[name] = frame[name].astype("str")
    frame["known_on"] = pd.Series([pd.Timestamp(2020, 1, 1)] * len(frame), dtype="datetime64[s]")
    frame["known_inferred"] = False
    return history({"annual": frame}).as_of(date(2025, 1, 1))


# The oracle: plain Python, one number at a time, NaN = unknown.


def known(x: float) -> bool:
    return not math.isnan(x)


def naive(of: Expr, rows: Numbers, firm: str, year: int) -> float:
    """The value of a formula for one firm in one year."""
    try:
        value = ORACLE[of.op](of, rows, firm, year)
    except (OverflowError, ZeroDivisionError):
        return NAN
    return value if math.isfinite(value) else NAN


def column(of: Expr, rows: Numbers, firm: str, year: int) -> float:
    value = rows.get((firm, year), {}).get(of.name)
    return NAN if value is None else float(str(value))


def alike(years: int, rows: Numbers, firm: str, year: int) -> bool:
    now, then = rows.get((firm, year)), rows.get((firm, year - years))
    if now is None or then is None:
        return False
    return all(now[c] == then[c] for c in ("reporting_basis", "currency"))


def across(of: Expr, rows: Numbers, firm: str, year: int) -> tuple[float, float, bool]:
    now = naive(of.args[0], rows, firm, year)
    then = naive(of.args[1], rows, firm, year)
    return now, then, alike(int(of.args[2].number), rows, firm, year)


def growth(of: Expr, rows: Numbers, firm: str, year: int) -> float:
    now, then, same = across(of, rows, firm, year)
    return 100.0 * (now / then - 1.0) if same and then > 0 else NAN


def cagr(of: Expr, rows: Numbers, firm: str, year: int) -> float:
    now, then, same = across(of, rows, firm, year)
    if not (same and then > 0 and now > 0):
        return NAN
    return 100.0 * ((now / then) ** (1.0 / of.number) - 1.0)


def change(of: Expr, rows: Numbers, firm: str, year: int) -> float:
    now, then, same = across(of, rows, firm, year)
    return now - then if same else NAN


def ratio(of: Expr, rows: Numbers, firm: str, year: int) -> float:
    top, bottom = (naive(a, rows, firm, year) for a in of.args)
    return 100.0 * top / bottom if bottom > 0 else NAN


def several(rule: Callable[[list[float]], float]) -> Callable[..., float]:
    def value(of: Expr, rows: Numbers, firm: str, year: int) -> float:
        return rule([naive(a, rows, firm, year) for a in of.args])

    return value


def first(xs: list[float]) -> float:
    return next((x for x in xs if known(x)), NAN)


def mean(xs: list[float]) -> float:
    some = [x for x in xs if known(x)]
    return sum(some) / len(some) if len(some) >= 2 else NAN


def spread(xs: list[float]) -> float:
    some = [x for x in xs if known(x)]
    if len(some) < 2:
        return NAN
    center = sum(some) / len(some)
    return math.sqrt(sum((x - center) ** 2 for x in some) / (len(some) - 1))


def highest(xs: list[float]) -> float:
    return max((x for x in xs if known(x)), default=NAN)


def streak(xs: list[float]) -> float:
    if not known(xs[0]):
        return NAN
    count = 0
    for x in xs:
        if not x > 0:
            break
        count += 1
    return float(count)


ORACLE: dict[str, Callable[..., float]] = {
    "col": column,
    "const": lambda of, *_: of.number,
    "lag": lambda of, rows, firm, year: naive(of.args[0], rows, firm, year - int(of.number)),
    "comparable": lambda of, rows, firm, year: (
        1.0 if alike(int(of.number), rows, firm, year) else NAN
    ),
    "growth": growth,
    "cagr": cagr,
    "change": change,
    "ratio": ratio,
    "add": several(lambda xs: xs[0] + xs[1]),
    "sub": several(lambda xs: xs[0] - xs[1]),
    "mul": several(lambda xs: xs[0] * xs[1]),
    "div": several(lambda xs: xs[0] / xs[1]),
    "log": several(lambda xs: math.copysign(math.log1p(abs(xs[0])), xs[0])),
    "first": several(first),
    "mean": several(mean),
    "spread": several(spread),
    "highest": several(highest),
    "streak": several(streak),
}

REVENUE, PROFIT = e.col("revenue"), e.col("net_profit")
YEARLY = e.first_known(e.growth(REVENUE, 1), e.col("revenue_growth_pct"))
LAGS = (YEARLY, YEARLY.lag(1), YEARLY.lag(2))
FORMULAS = {
    "level": e.log(REVENUE),
    "sum": REVENUE + PROFIT,
    "difference": REVENUE - PROFIT.lag(2),
    "product": REVENUE * 0.01,
    "quotient": PROFIT / REVENUE,
    "growth": e.growth(REVENUE, 1),
    "growth of a difference": e.growth(REVENUE - PROFIT, 2),
    "growth a year before": e.growth(REVENUE, 1).lag(1),
    "cagr": e.cagr(REVENUE, 2),
    "cagr of three": e.cagr(PROFIT, 3),
    "change": e.change(e.ratio(PROFIT, e.col("total_assets")), 1),
    "mean": e.mean(*LAGS),
    "spread": e.spread(*LAGS),
    "highest": e.highest(REVENUE, REVENUE.lag(1), REVENUE.lag(2)),
    "streak": e.positive_years(*LAGS),
    "lag of lag": REVENUE.lag(1).lag(2),
    "comparable": e.comparable(2),
}


def close(got: float, expected: float) -> bool:
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    return math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-9)


@settings(max_examples=60)
@given(accounts)
def test_every_operation_is_the_naive_one(rows: Numbers) -> None:
    cube = Cube(panel(rows))
    window = Window(cube)
    memory: e.Memory = {}
    for name, formula in FORMULAS.items():
        values = e.evaluate(formula, window, memory)
        for firm, anchor, value in zip(cube.firm_ids, window.anchor, values, strict=True):
            expected = naive(formula, rows, firm, int(anchor))
            assert close(float(value), expected), (name, firm, value, expected)


@settings(max_examples=30)
@given(accounts)
def test_the_window_of_each_firm_agrees_with_every_year(rows: Numbers) -> None:
    cube = Cube(panel(rows))
    window, every = Window(cube), EveryYear(cube)
    newest = {f: max(y for g, y in rows if g == f) for f, _ in rows}
    assert dict(zip(cube.firm_ids, window.anchor, strict=True)) == newest
    at = (window.anchor - cube.first_year) * len(cube.firm_ids) + np.arange(len(cube.firm_ids))
    for spec in BUILT_IN:
        if spec.expr.across_peers or spec.expr.facts:
            continue
        one = e.evaluate(spec.expr, window, {})
        all_years = e.evaluate(spec.expr, every, {})
        np.testing.assert_array_equal(one, all_years[at], err_msg=spec.name)


@settings(max_examples=20)
@given(accounts)
def test_no_built_in_level_crosses_a_change_of_basis(rows: Numbers) -> None:
    """With another basis before, a formula knows no more than without the years before."""
    newest = max(y for _, y in rows)
    changed = {
        (f, y): {**cells, "reporting_basis": "parent" if y == newest else "consolidated"}
        for (f, y), cells in rows.items()
    }
    alone = {k: v for k, v in changed.items() if k[1] == newest}
    both, one = Cube(panel(changed)), Cube(panel(alone))
    rates = ("_growth_1y", "_cagr_2y", "_cagr_3y", "_change", "_step", "_off_peak")
    for spec in BUILT_IN:
        if spec.name.endswith(rates) and not spec.expr.across_peers:
            now = e.evaluate(spec.expr, Window(both), {})[np.isin(both.firm_ids, one.firm_ids)]
            np.testing.assert_array_equal(now, e.evaluate(spec.expr, Window(one), {}), spec.name)


# The catalogue


def test_the_catalogue_is_about_as_large_as_stated_and_names_nothing_twice() -> None:
    names = [spec.name for spec in BUILT_IN]
    assert len(names) == len(set(names))
    assert 110 <= len(names) <= 160
    for label in ("zh", "en"):
        assert len({getattr(spec, label) for spec in BUILT_IN}) == len(names)


@pytest.mark.parametrize("spec", BUILT_IN, ids=lambda spec: spec.name)
def test_what_a_feature_reads_exists_and_it_survives_json(spec: FeatureSpec) -> None:
    columns = register().tables["annual"].columns
    for source in spec.expr.sources:
        assert columns[source].numeric, source
    assert spec.expr.facts <= {fact.name for fact in FACTS}
    data = json.loads(json.dumps(spec.as_json()))
    again = FeatureSpec.from_json(data)
    assert again == spec
    assert hash(again.expr) == hash(spec.expr)
    assert again.as_json() == data


def test_no_title_ownership_or_district_is_ever_a_driver_of_distress() -> None:
    titles = {"tier_held", "titles_held", "years_in_tier"}
    for fact in FACTS:
        assert not (fact.name in titles and "distress" in fact.families)
        assert set(fact.families) <= set(FAMILIES)
    for table in ("firms", "annual"):
        for name, spec in register().tables[table].columns.items():
            if any(part in name for part in ("district", "ownership", "legal_representative")):
                assert spec.families == (), name


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        ["log"],
        ["system", 0.0],
        ["col", 1.0],
        ["add", "x"],
        ["add", None, ["const", 1.0], ["const", 1.0]],
        ["log", True, ["const", 1.0]],
        ["log", 0.0],
        ["ratio", 0.0, ["const", 1.0]],
        ["mean", 0.0],
        ["growth", 0.0, ["col", "revenue"]],
    ],
)
def test_a_formula_that_is_none_is_refused(data: object) -> None:
    with pytest.raises(Refused):
        e.from_json(data)
