"""The titles of growth: every number is the city's, and each decides for some firm."""

from __future__ import annotations

import numpy as np
import pytest
from random_firms import many

from policy.loading import standing
from policy.logic import MET, UNMET
from policy.rules import Edition
from policy.values import Inputs, Values
from policy.verdict import judge

LAW = standing()
OWN = [LAW.edition(f"city/{tier}") for tier in ("gazelle", "unicorn", "potential_unicorn")]
NUMBERS = [(edition, name) for edition in OWN for name in sorted(edition.parameters)]


def firms(seed: int) -> Inputs:
    """Random firms, some of them as large as the largest lines."""
    inputs = many(seed, 4000)
    large = {
        name: np.where(np.arange(4000) % 2, column, column * 20)
        for name, column in inputs.columns.items()
        if name.startswith("revenue")
    }
    return inputs.replaced(large)


@pytest.mark.parametrize(("edition", "name"), NUMBERS, ids=lambda x: getattr(x, "id", x))
def test_each_number_of_the_city_decides_for_some_firm_and_in_one_sense(
    edition: Edition, name: str
) -> None:
    """An age is a most, everything else a least: a stricter number lets nobody in."""
    inputs, value = firms(1), float(str(LAW.parameters[name].value))
    strict = value / 3 if name.endswith("years") else value * 3 + 200
    before = judge(edition, Values(LAW, inputs)).criteria
    after = judge(edition, Values(LAW.having({name: strict}), inputs)).criteria
    assert ((before == MET) & (after == UNMET)).any()
    assert not ((before == UNMET) & (after == MET)).any()


def test_no_number_stands_in_these_editions_themselves() -> None:
    for edition in OWN:
        bounds = {
            (node.metric, node.bound.number)
            for criterion in edition.criteria
            for node in criterion.conditions()
            if hasattr(node, "bound") and not node.bound.param and node.op != "one_of"
        }
        # That there is any equity at all is no number to set.
        assert bounds <= {("equity_raised_qualified_3y", 0.0), ("prof_equity_24m", 0.0)}
