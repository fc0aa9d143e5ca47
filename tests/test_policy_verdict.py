"""The verdict engine: properties over all editions, then single rules of growth, gaps, years."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_firms import DAY, many

from policy.calendar import Moment, day_number, years_between
from policy.conditions import Bound, Condition, Leaf, Not, ScoreTest
from policy.formula import Formula, evaluate, exact, parse
from policy.gaps import gap
from policy.loading import standing
from policy.logic import MANUAL, MET, NOT_APPLICABLE, UNKNOWN, UNMET, every, negated, some
from policy.rules import Bands, Edition
from policy.values import Inputs, Values
from policy.verdict import judge
from tidu.errors import DataError

EDITIONS = list(standing().editions.values())
MONEY = st.integers(1, 10**7).map(lambda n: n / 100)


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.id)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 0.6))
def test_an_unknown_never_turns_met_into_unmet_nor_back(
    edition: Edition, seed: int, share: float
) -> None:
    inputs = many(seed)
    rng = np.random.default_rng(seed + 1)
    hidden = {
        name: np.where(rng.random(len(column)) < share, np.nan, column)
        for name, column in inputs.columns.items()
        if not name.startswith("size_")
    }
    for purpose in ("new", "review"):
        whole = judge(edition, Values(standing(), inputs), purpose)  # type: ignore[arg-type]
        less = judge(edition, Values(standing(), inputs.replaced(hidden)), purpose)  # type: ignore[arg-type]
        for before, after in ((whole.criteria, less.criteria), (whole.status, less.status)):
            assert not ((before == MET) & (after == UNMET)).any()
            assert not ((before == UNMET) & (after == MET)).any()


SENSES = {"at_least": 1, "above": 1, "at_most": -1, "below": -1, "one_of": 0}


def asked(condition: Condition, sign: int) -> list[tuple[str, int]]:
    """The metrics below a condition, with the sense in which it asks for more of each."""
    if isinstance(condition, Leaf):
        return [(condition.metric, sign * SENSES[condition.op])]
    inner = -sign if isinstance(condition, Not) else sign
    return [found for part in condition.parts for found in asked(part, inner)]


def moved(formula: Formula) -> dict[str, set[int]]:
    """In which sense a formula moves with each of its inputs, as long as these are positive."""
    if formula.op == "input":
        return {formula.name: {1}}
    parts = [moved(arg) for arg in formula.args]
    signs = {"sub": (1, -1), "div": (1, -1), "grow": (1, -1, 0, 0)}.get(formula.op)
    if formula.op in ("years_since", "years_at_year_end", "fiscal_years"):
        signs = (-1,)
    if formula.op in ("mul", "div") and any(arg.op == "sub" for arg in formula.args):
        signs = (0,) * len(parts)  # a difference may be negative
    found: dict[str, set[int]] = {}
    for part, sign in zip(parts, signs or (1,) * len(parts), strict=True):
        for name, senses in part.items():
            found.setdefault(name, set()).update(sign * s for s in senses)
    return found


def directions(edition: Edition) -> dict[str, set[int]]:
    """The senses in which an edition asks for each input that its metrics read."""
    leaves: list[tuple[str, int]] = []
    for criterion in edition.criteria:
        leaves += asked(criterion.test, 1)
        leaves += asked(criterion.exempt, 1) if criterion.exempt is not None else []
        leaves += asked(criterion.applies, -1) if criterion.applies is not None else []
    for group in edition.score.groups if edition.score else ():
        for line in group.indicators:
            rules = getattr(line.rule, "of", (line.rule,))
            leaves += [(rule.metric, SENSES[rule.op]) for rule in rules if isinstance(rule, Bands)]
            options = getattr(line.rule, "options", ())
            chosen = [*(o.when for o in options), *(c for c in rules if hasattr(c, "parts"))]
            leaves += [found for condition in chosen for found in asked(condition, 1)]
    senses: dict[str, set[int]] = {}
    for metric, sense in leaves:
        for formula in (standing().metrics[metric].low, standing().metrics[metric].high):
            for name, found in moved(formula).items():
                senses.setdefault(name, set()).update(sense * s for s in found)
    return senses


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.id)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_tier_is_monotone_in_what_all_its_criteria_ask_for_in_one_sense(
    edition: Edition, seed: int
) -> None:
    order = {UNMET: 0, UNKNOWN: 1, MET: 3, NOT_APPLICABLE: 3, 5: 2}
    rank = np.array([order.get(code, 0) for code in range(6)])
    inputs = many(seed, 60)
    before = rank[judge(edition, Values(standing(), inputs)).status]
    tried, asked_for = 0, directions(edition)
    for name, senses in asked_for.items():
        if senses not in ({1}, {-1}) or name.startswith("size_"):
            continue
        tried += 1
        column = inputs.columns[name]
        # Nothing at all stays so: a ratio or growth of nothing is unknown, not low.
        better = column + 1000 if senses == {1} else np.maximum(column - 1000, 0.01)
        better = np.where(column > 0, better, column)
        after = rank[judge(edition, Values(standing(), inputs.replaced({name: better}))).status]
        assert (after >= before).all(), name
    assert tried or all(senses == {0} for senses in asked_for.values())  # titles and states alone


def test_the_metrics_that_tiers_use_in_both_senses_are_these() -> None:
    """More revenue lowers the share of R&D and may end a route of small firms: no one sense."""
    mixed: dict[str, set[str]] = {}
    for edition in EDITIONS:
        found: dict[str, set[int]] = {}
        for criterion in edition.criteria:
            for node in criterion.conditions():
                if isinstance(node, Leaf):
                    found.setdefault(node.metric, set()).add(SENSES[node.op])
        mixed[edition.id] = {m for m, s in found.items() if {1, -1} <= s}
    assert {name: f for name, f in mixed.items() if f} == {"63-2022/annex3": {"revenue"}}


@given(rd=MONEY, revenue=MONEY)
def test_a_ratio_at_its_bound_is_judged_as_exact_fractions_judge(rd: float, revenue: float) -> None:
    share = 100 * Fraction(str(rd)) / Fraction(str(revenue))
    for bound in (round(float(share), 2), round(float(share), 4)):
        columns = {"rd_expense": np.array([rd]), "revenue": np.array([revenue])}
        values = Values(standing(), Inputs(np.array(["F"], dtype=object), DAY, 2025, columns))
        leaf = Leaf("rd_ratio_pct", "at_least", Bound(bound))
        assert (values.tested(leaf)[0] == MET) == (share >= Fraction(str(bound)))


@pytest.mark.parametrize(
    ("now", "before", "percent"), [(115.0, 100.0, 15), (1.1, 1.0, 10), (220.5, 210.0, 5)]
)
def test_growth_of_exactly_the_bound_meets_it(now: float, before: float, percent: int) -> None:
    columns = {"x": now, "x[-1]": before, "basis": 0.0, "basis[-1]": 0.0}
    moment = Moment(DAY, 2025)
    assert exact(parse("growth(x)"), columns.__getitem__, moment) == Decimal(percent)


def test_growth_across_a_change_of_basis_or_from_nothing_is_unknown() -> None:
    moment = Moment(DAY, 2025)
    columns = {
        "x": np.array([2.0, 2.0, 2.0]), "x[-1]": np.array([1.0, 0.0, 1.0]),
        "basis": np.zeros(3), "basis[-1]": np.array([0.0, 0.0, 1.0]),
    }  # fmt: skip
    found = evaluate(parse("growth(x)"), columns.__getitem__, moment)
    assert found[0] == pytest.approx(100) and np.isnan(found[1:]).all()  # noqa: PT018 - one fact


@given(
    value=st.floats(-1e9, 1e9),
    bound=st.floats(-1e6, 1e6).map(lambda x: round(x, 2)),
    op=st.sampled_from(["at_least", "at_most", "above", "below"]),
)
def test_a_closed_gap_is_closed(value: float, bound: float, op: str) -> None:
    missing = gap(value, op, bound, 0.01)
    assert missing is not None
    closed = value + missing
    passes = {
        "at_least": closed >= bound, "at_most": closed <= bound,
        "above": closed > bound, "below": closed < bound,
    }  # fmt: skip
    assert passes[op]


@given(start=st.dates(date(1990, 1, 1), date(2026, 6, 30)))
def test_years_are_whole_on_anniversaries_and_never_fall(start: date) -> None:
    day = np.array([day_number(start)])
    ends = [date(2026, 6, 30), date(2027, 2, 28), date(2028, 2, 29), date(2030, 12, 31)]
    years = [float(years_between(day, end)[0]) for end in ends]
    assert years == sorted(years)
    if (start.month, start.day) != (2, 29):
        whole = years_between(day, start.replace(year=start.year + 7))
        assert whole[0] == 7.0


CODES = (UNMET, UNKNOWN, MANUAL, MET, NOT_APPLICABLE)


@given(codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=5))
def test_all_and_any_agree_with_their_definition(codes: list[int]) -> None:
    parts = [np.array([code], dtype=np.int8) for code in codes]
    all_, any_ = int(every(parts)[0]), int(some(parts)[0])
    applies = [code for code in codes if code != NOT_APPLICABLE]
    assert (all_ == UNMET) == (UNMET in codes)
    assert (all_ == MET) == (bool(applies) and set(applies) == {MET})
    assert (any_ == MET) == (MET in codes)
    assert (any_ == UNMET) == (bool(applies) and set(applies) == {UNMET})
    assert (all_ == NOT_APPLICABLE) == (any_ == NOT_APPLICABLE) == (not applies)
    assert int(negated(negated(parts[0]))[0]) == codes[0]


@pytest.mark.parametrize(
    "text", ["import os", "x ** 2", "revenue[1]", "revenue[-4]", "held()",
             "open(abnormal_list)[-1]", "__import__('os')", "x if y else z", "unheard(x)"],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"formula|column at most"):
        parse(text)


def test_every_score_test_names_a_group_of_its_edition() -> None:
    for edition in EDITIONS:
        tests = [n for c in edition.criteria for n in c.conditions() if isinstance(n, ScoreTest)]
        groups = {"total", *(g.id for g in edition.score.groups)} if edition.score else set()
        assert {t.group for t in tests} <= groups
