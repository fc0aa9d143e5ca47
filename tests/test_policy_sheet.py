"""The sheet of an edition: for all firms at once what each gets alone, and every line true."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_firms import DAY, many

from policy.detail import detail, figures, marks
from policy.gaps import gap, gaps
from policy.law import Batch
from policy.layout import sheet
from policy.loading import law_of, standing
from policy.logic import NAMES
from policy.rules import Edition, Purpose
from policy.sheet import Reading, Sheet
from policy.values import Inputs, Values
from policy.verdict import Judge, judge

LAW = standing()
EDITIONS = list(LAW.editions.values())
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
FIRMS = 24


def firms(seed: int) -> Inputs:
    """Random firms with gaps in what is known, some not in CNY, some unaudited."""
    inputs, rng = many(seed, FIRMS), np.random.default_rng(seed)
    hidden = {
        name: np.where(rng.random(FIRMS) < 0.2, np.nan, column)
        for name, column in inputs.columns.items()
        if not name.startswith("size_")
    }
    hidden["foreign"] = (rng.random(FIRMS) < 0.1).astype(float)
    hidden["audited"] = rng.choice([0.0, 1.0, np.nan], FIRMS)
    return inputs.replaced(hidden)


def _figure(shown: Mapping[str, Any], firm: int, name: str) -> float:
    return float(shown[name][firm])


def all_at_once(edition: Edition, values: Values, purpose: Purpose) -> list[dict[str, Any]]:
    """What the arrays of all firms say, by the sheet after a way through JSON."""
    batch = Batch(edition.tier, DAY.year, purpose, DAY, DAY.year - 1, edition.id)
    laid_out = json.loads(json.dumps(sheet(LAW, edition, batch).as_json()))
    read_back = Sheet.from_json(laid_out)
    found, shown = marks(Judge(values, edition), purpose), figures(values, [edition])
    assert set(read_back.figures) == set(shown)
    return [
        read_back.filled(
            Reading(
                int(found.status[i]),
                found.lines[i].tolist(),
                [(low, high) for low, high in found.points[i].tolist()],
                partial(_figure, shown, i),
            )
        )
        for i in range(FIRMS)
    ]


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.id)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_all_firms_at_once_get_what_each_gets_alone(edition: Edition, purpose: Purpose) -> None:
    values = Values(LAW, firms(3))
    verdict = judge(edition, values, purpose)
    for i, found in enumerate(all_at_once(edition, values, purpose)):
        alone = detail(edition, values, i, purpose)
        assert alone.pop("firm_id") == values.inputs.firm_ids[i]
        assert found == alone
        assert found["status"] == NAMES[verdict.status[i]]
        assert [c["status"] for c in found["criteria"]] == [NAMES[c] for c in verdict.criteria[i]]


def lines_of(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for criterion in found["criteria"]:
        yield from criterion["parts"] or [criterion]


PASSES: dict[str, Callable[[Any, Any], bool]] = {
    "≥": lambda value, bound: value >= bound,
    "≤": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
    "=": lambda value, bound: value == bound,
    "∈": lambda value, bound: value in bound,
}


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.id)
def test_a_line_says_itself_whether_it_holds_and_what_closes_it(edition: Edition) -> None:
    """Value, sign, threshold and gap are enough to see the status, without any engine."""
    values, told = Values(LAW, firms(4)), 0
    for i in range(FIRMS):
        if values.inputs.columns["foreign"][i]:
            continue
        for line in lines_of(detail(edition, values, i)):
            value, bound, status = line.get("value"), line.get("threshold"), line["status"]
            if value is None or bound is None or status not in ("met", "unmet"):
                continue
            if isinstance(value, str) and not isinstance(bound, list):
                continue  # ordered codes
            told += 1
            passes = PASSES[line["operator"]]
            near = isinstance(value, float) and abs(value - bound) < 1e-9 * max(1, abs(bound))
            assert near or passes(value, bound) == (status == "met"), line
            if status == "met":
                assert line["gap"] in (0.0, None)
            elif isinstance(value, float) and line["gap"] is not None:
                assert passes(value + line["gap"], bound)
    assert told > FIRMS


def test_what_the_sheet_cites_is_what_the_edition_says() -> None:
    edition = LAW.editions["2-2026/annex2"]
    found = detail(edition, Values(LAW, firms(1)), 0)
    assert [c["address"] for c in found["criteria"]] == [c.address for c in edition.criteria]
    assert all(c["clause"] and c["document"] and c["zh"] and c["en"] for c in found["criteria"])
    assert found["document"] == LAW.documents[edition.document].number
    assert found["batch"] == "2026-little_giant"


@given(
    values=st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), max_size=20),
    bound=st.floats(-1e6, 1e6).map(lambda x: round(x, 2)),
    op=st.sampled_from(["at_least", "at_most", "above", "below"]),
)
def test_gaps_of_many_are_the_gaps_of_each(values: list[float], bound: float, op: str) -> None:
    each = [gap(value, op, bound, 0.01) for value in values]
    many_ = gaps(np.array(values, dtype=float), op, bound, 0.01)
    assert [None if math.isnan(one) else one for one in many_.tolist()] == each


def test_the_law_can_be_put_together_again_from_its_own_content() -> None:
    again = law_of(LAW.content)
    assert again.digest == LAW.digest
    assert again.editions == LAW.editions
    assert again.uses == LAW.uses
    changed = dict(LAW.content) | {"parameters_plan.toml": b""}
    assert law_of(changed).digest != LAW.digest


def test_without_cny_nothing_of_the_law_applies() -> None:
    inputs = firms(2)
    values = Values(LAW, inputs.replaced({"foreign": np.ones(FIRMS)}))
    for edition in EDITIONS:
        found = detail(edition, values, 0)
        assert found["status"] == "not_applicable"
        assert {c["status"] for c in found["criteria"]} == {"not_applicable"}
        assert {c["gap"] for c in found["criteria"]} == {None}


def test_findings_of_another_batch_leave_the_figures_alone() -> None:
    values = Values(LAW, firms(5))
    met = {"niche_leader": np.full(FIRMS, 3, dtype=np.int8)}
    other = values.attested(met)
    assert other.inputs.findings is met
    assert other.inputs.columns is values.inputs.columns
    edition = LAW.editions["63-2022/annex3"]
    same = figures(other, [edition])
    for name, column in figures(values, [edition]).items():
        assert np.array_equal(column, same[name], equal_nan=True)
    assert replace(other.inputs, findings={}).day == DAY
