"""Stages: exactly one per firm, by the definition in data, against a slow oracle."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_panels import defaults, ground_of, panel_of

from policy.logic import MET, MET_PENDING, NAMES, NOT_APPLICABLE, UNKNOWN, UNMET
from policy.plan.stages import (
    CULTIVATE,
    NONE,
    RESERVE,
    UPGRADE,
    Candidates,
    Definition,
    definition,
    line,
    may,
    stages,
)
from tidu.errors import DataError

DEFAULT = Definition(multiple=1.5, share_pct=50.0, years=2)
NAN = math.nan

chances = st.sampled_from([NAN, 0.0, 0.1, 0.2, 0.2, 0.35, 0.5, 0.9])
growths = st.sampled_from([NAN, -20.0, 0.0, 5.0, 5.0, 30.0])
rows = st.tuples(
    st.booleans() | st.just(True),
    st.sampled_from([UNMET, UNKNOWN, MET, NOT_APPLICABLE, MET_PENDING]),
    chances,
    st.sampled_from([NAN, 0.0, 1.0]),
    chances,
    growths,
)
definitions = st.builds(
    Definition,
    multiple=st.sampled_from([1.0, 1.5, 3.0]),
    share_pct=st.sampled_from([0.0, 30.0, 50.0, 100.0]),
    years=st.just(2),
    least=st.integers(0, 3),
)
shortfalls = st.sampled_from([-4.0, 0.0, 1.0, 2.0, 3.0, 7.0, 100.0])


def of(firms: list[tuple[Any, ...]]) -> Candidates:
    may, status, chance, reachable, after, growth = zip(*firms, strict=True)
    ids = np.array([f"F{i:02d}" for i in range(len(firms))], dtype=object)
    return Candidates(
        ids,
        np.array(may, dtype=bool),
        np.array(status, dtype=np.int8),
        *(np.array(x, dtype=float) for x in (chance, reachable, after, growth)),
    )


def oracle(firms: list[tuple[Any, ...]], shortfall: float, rules: Definition) -> list[int]:
    number = max(math.ceil(rules.multiple * max(0.0, shortfall)), rules.least)
    known = sorted((f[2] for f in firms if f[0] and f[2] > 0), reverse=True)
    bar = known[min(number, len(known)) - 1] if number and known else math.inf
    growing = [(-f[5], i) for i, f in enumerate(firms) if f[0] and f[5] == f[5]]
    kept = math.ceil(len(growing) * rules.share_pct / 100)
    best = {i for _, i in sorted(growing)[:kept]}
    found = []
    for i, (able, status, chance, reachable, after, _) in enumerate(firms):
        unknown = chance != chance
        if able and NAMES[status] in rules.statuses and not unknown and chance >= bar:
            found.append(UPGRADE)
        elif (
            able and reachable == 1 and not unknown and after == after and max(chance, after) >= bar
        ):
            found.append(CULTIVATE)
        else:
            found.append(RESERVE if able and i in best else NONE)
    return found


@given(st.lists(rows, min_size=1, max_size=25), shortfalls, definitions)
def test_as_the_oracle_says(
    firms: list[tuple[Any, ...]], shortfall: float, rules: Definition
) -> None:
    table = stages(of(firms), shortfall, rules)
    assert table["stage"].tolist() == oracle(firms, shortfall, rules)
    # A partition: one row a firm, in order, and each row says why in both languages.
    assert table["firm_id"].tolist() == [f"F{i:02d}" for i in range(len(firms))]
    assert (table["reason_zh"] != "").all()
    assert (table["reason_en"] != "").all()


@given(
    st.lists(rows, min_size=2, max_size=15), shortfalls, definitions, st.integers(0), st.randoms()
)
def test_raising_a_chance_never_lowers_the_stage(
    firms: list[tuple[Any, ...]], shortfall: float, rules: Definition, which: int, random: Any
) -> None:
    which %= len(firms)
    before = of(firms)
    old = before.chance[which]
    chance = before.chance.copy()
    chance[which] = random.choice([c for c in (0.05, 0.2, 0.4, 0.95, 1.0) if not c < old])
    first = stages(before, shortfall, rules)["stage"][which]
    then = stages(replace(before, chance=chance), shortfall, rules)["stage"][which]
    assert then >= first


@given(st.lists(rows, min_size=1, max_size=15), shortfalls, definitions)
def test_an_unknown_chance_never_promotes(
    firms: list[tuple[Any, ...]], shortfall: float, rules: Definition
) -> None:
    table = stages(of(firms), shortfall, rules)
    unknown = np.isnan(of(firms).chance)
    assert (table["stage"][unknown] <= RESERVE).all()


@given(st.lists(rows, min_size=1, max_size=15), shortfalls, definitions, st.randoms())
def test_the_order_of_firms_changes_nothing(
    firms: list[tuple[Any, ...]], shortfall: float, rules: Definition, random: Any
) -> None:
    given = of(firms)
    order = list(range(len(firms)))
    random.shuffle(order)
    shuffled = Candidates(
        given.firm_ids[order], given.may[order], given.status[order], given.chance[order],
        given.reachable[order], given.after[order], given.growth[order],
    )  # fmt: skip
    first = stages(given, shortfall, rules).set_index("firm_id")["stage"]
    then = stages(shuffled, shortfall, rules).set_index("firm_id")["stage"]
    assert then.reindex(first.index).tolist() == first.tolist()


def test_who_has_no_chance_at_all_is_none_of_the_n() -> None:
    """The rules let the second not apply: it neither sets the line nor passes it."""
    candidates = of([(True, MET, 0.30, 0.0, NAN, NAN), (True, MET, 0.0, 1.0, 0.0, NAN)])
    assert line(candidates, 10.0, DEFAULT) == (1, 0.30)
    assert stages(candidates, 10.0, DEFAULT)["stage"].tolist() == [UPGRADE, NONE]


def test_worked_by_hand() -> None:
    firms = [
        (True, MET, 0.60, 0.0, NAN, 1.0),  # verdict and chance
        (True, MET_PENDING, 0.40, 0.0, NAN, 1.0),  # at the line: the third of three
        (True, MET, 0.39, 0.0, NAN, 40.0),  # below the line, but growing
        (True, UNMET, 0.50, 1.0, 0.55, 1.0),  # must close a gap first
        (True, UNMET, 0.10, 1.0, 0.45, 1.0),  # low today, above the line with the gaps closed
        (True, UNMET, 0.10, NAN, 0.45, 30.0),  # whether a path exists is unknown
        (True, MET, NAN, 1.0, 0.90, 35.0),  # no chance known
        (False, MET, 0.90, 1.0, 0.90, 99.0),  # holds the tier: no candidate, sets no line
        (True, UNMET, 0.05, 0.0, NAN, NAN),
    ]
    candidates = of(firms)
    assert line(candidates, 2.0, DEFAULT) == (3, 0.40)
    table = stages(candidates, 2.0, DEFAULT)
    expected = [UPGRADE, UPGRADE, RESERVE, CULTIVATE, CULTIVATE, RESERVE, RESERVE, NONE, NONE]
    assert table["stage"].tolist() == expected
    assert table["code"].tolist()[:3] == ["upgrade", "upgrade", "reserve"]
    assert table["reason_zh"][1] == "判定为可判定条件均符合、待核实,概率40.0%不低于第3位的40.0%"
    assert table["reason_en"][2] == "growth 40, among the best 50% of the candidates"
    assert table["reason_zh"][7].startswith("不是候选企业")
    assert table["reason_en"][8] == "growth unknown"


def test_a_target_that_is_met_raises_nobody_unless_the_city_says_so() -> None:
    candidates = of([(True, MET, 0.9, 1.0, 0.9, 1.0), (True, MET, 0.8, 1.0, 0.8, 2.0)])
    assert stages(candidates, 0.0, DEFAULT)["stage"].tolist() == [NONE, RESERVE]
    one = replace(DEFAULT, least=1)
    assert stages(candidates, -5.0, one)["stage"].tolist() == [UPGRADE, RESERVE]


def raw_definition(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "policy" / "data" / "stages.toml").read_text(encoding="utf-8"))


def test_the_definition_is_data(root: Path) -> None:
    raw = raw_definition(root)
    assert definition(raw, defaults()) == DEFAULT
    assert definition(raw, defaults(stage_multiple=2.0, stage_least=10)) == replace(
        DEFAULT, multiple=2.0, least=10
    )
    assert set(raw["stages"]) == {"upgrade", "cultivate", "reserve", "none"}
    with pytest.raises(DataError, match="not set: share_pct, years"):
        definition(raw, defaults(stage_years=None, stage_share_pct=None))


def test_who_may_still_rise_to_a_tier() -> None:
    def titled(firm: str, tier: str, **more: Any) -> dict[str, Any]:
        return {"firm_id": firm, "tier": tier, "issued_on": date(2024, 5, 1)} | more

    panel = panel_of(
        date(2026, 11, 22),
        {
            "firms": [{"firm_id": f} for f in "ABCD"]
            + [{"firm_id": "E", "city_out_on": date(2025, 1, 1)}],
            "titles": [
                titled("A", "srdi_provincial"),
                titled("B", "little_giant"),
                titled("C", "little_giant", expires_on=date(2026, 11, 21)),
                titled("D", "single_champion"),
            ],
        },
    )
    assert may(ground_of(panel, {}), "little_giant").tolist() == [True, False, True, False, False]


@pytest.mark.parametrize("shortfall", [0.0, 5.0])
def test_no_firms_no_stages(shortfall: float) -> None:
    empty = np.zeros(0)
    nobody = Candidates(
        np.zeros(0, dtype=object), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int8),
        empty, empty, empty, empty,
    )  # fmt: skip
    assert len(stages(nobody, shortfall, DEFAULT)) == 0
