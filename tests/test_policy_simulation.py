"""Scenarios: equal to judging anew under a law that says so, refused where the city may not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_policy_verdict import many

from policy.loading import standing
from policy.plan.comparison import clauses, firms
from policy.plan.simulation import Scenario, Today, changed, effects, passing, simulate
from policy.values import Values
from policy.verdict import judge
from tidu.errors import UsageError

MUNICIPAL = standing().edition("city/srdi_municipal")


@given(seed=st.integers(0, 2**32 - 1), line=st.floats(0, 100))
def test_a_scenario_judges_as_a_law_that_says_so(seed: int, line: float) -> None:
    inputs, law = many(seed, 50), standing()
    scenario = Scenario(
        "s", {"municipal_score_line": line}, {"srdi_municipal": {"rd:rd_expense": 60.0}}
    )
    effect = simulate(law, Today(MUNICIPAL, Values(law, inputs)), [scenario])[0]
    fresh = law.having({"municipal_score_line": line})
    anew = judge(changed(MUNICIPAL, {"rd:rd_expense": 60.0}), Values(fresh, inputs))
    assert (effect.verdict.status == anew.status).all()
    before = passing(judge(MUNICIPAL, Values(law, inputs)))
    assert ((before | effect.enters) & ~effect.leaves == passing(anew)).all()


def test_effects_add_up_over_every_grouping() -> None:
    inputs = many(3, 4000)
    clean = [n for n in inputs.columns if n.startswith(("open(", "recent(", "banned("))]
    fixed = dict.fromkeys([*clean, "prohibited_product"], np.zeros(4000))
    inputs = inputs.replaced({**fixed, "registered_in_city": np.ones(4000)})
    easier = {"srdi_municipal": {"niche_years:niche_years": 0.0}}
    scenario = Scenario("lower", {"municipal_score_line": 10.0}, easier)
    effect = simulate(standing(), Today(MUNICIPAL, Values(standing(), inputs)), [scenario])[0]
    labels = np.array(["东区", "西区", None, "高新区"] * 1000, dtype=object)
    table = effects(effect, {"district": labels})
    whole, parts = table.iloc[0], table.iloc[1:]
    assert whole["enters"] > 0
    assert (parts[["enters", "leaves", "net"]].sum() == whole[["enters", "leaves", "net"]]).all()


@pytest.mark.parametrize(
    ("scenario", "match"),
    [
        (Scenario("s", {"unheard": 1.0}), "No parameter"),
        (Scenario("s", thresholds={"srdi_municipal": {"rd:unheard": 1.0}}),
         "A threshold must be one of"),
        (Scenario("s", thresholds={"srdi_municipal": {"rd:rd_expense": 1.0}},
                  editions={"srdi_municipal": "63-2022/annex2"}),
         "Only an edition of the city"),
    ],
)  # fmt: skip
def test_what_the_city_may_not_set_is_refused(scenario: Scenario, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        simulate(standing(), Today(MUNICIPAL, Values(standing(), many(1, 5))), [scenario])


def test_two_editions_differ_in_the_clauses_that_the_documents_changed() -> None:
    rows = clauses(standing().edition("63-2022/annex3"), standing().edition("2-2026/annex2"))
    change = {row["criterion"]: row["change"] for row in rows}
    assert change["main_share"] == change["debt"] == "changed"
    assert change["platform_score"] == "added"
    assert change["information_system"] == "removed"
    assert "niche_years" not in change
    assert clauses(MUNICIPAL, MUNICIPAL) == []


def test_two_verdicts_differ_in_the_firms_that_pass_one_of_them() -> None:
    inputs = many(4, 300)
    values = Values(standing(), inputs)
    easier = changed(MUNICIPAL, {"niche_years:niche_years": 0.0, "rd:rd_expense": 1.0})
    pair = judge(MUNICIPAL, values), judge(easier, values)
    labels = np.array(["东区", "西区", ""] * 100, dtype=object)
    found = firms(*pair, inputs.firm_ids, {"district": labels})
    one, two = (set(inputs.firm_ids[passing(verdict)]) for verdict in pair)
    assert (set(found["only_a"]), set(found["only_b"])) == (one - two, two - one)
    assert sum(found["from_to"].values()) == 300
    for line in found["by"]:
        own = set(inputs.firm_ids[labels == line["label"]])
        assert line["enters"] == len((two - one) & own)
        assert line["leaves"] == len((one - two) & own)
    assert sum(line["net"] for line in found["by"]) == len(two) - len(one)
