"""The choice of a shortlist: what must hold of any candidates and any question."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.plan.stages import CODES
from serving.shortlist.choice import OUTSIDE, STAGES, Candidates, Choice, choose
from serving.shortlist.question import MODES, Question, mode_of
from tidu.errors import Refused, UsageError

TASK = "promotion:little_giant@12"
PLACES = ("甲区", "乙区", None)
CODES_OF_INDUSTRY = ("C39", "C3951", "I65", None)
SIZES = ("micro", "small", "medium", None)


@st.composite
def worlds(draw: st.DrawFn) -> Candidates:
    n = draw(st.integers(0, 8))

    def each(values: Any) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    outside = np.array(each(st.sampled_from([0, 0, 0, 2, 5])), dtype=np.int8)
    score = np.array(each(st.sampled_from([-1.0, 0.0, 0.5, 2.0])), dtype=float)
    return Candidates(
        np.array([f"F{i:02d}" for i in range(n)], dtype=object),
        np.where(outside > 0, np.nan, score),
        outside,
        np.array(each(st.sampled_from(PLACES)), dtype=object),
        np.array(each(st.sampled_from(CODES_OF_INDUSTRY)), dtype=object),
        np.array(each(st.sampled_from(SIZES)), dtype=object),
        np.array(each(st.sampled_from([-1, 0, 1, 2, 3])), dtype=np.int8),
        np.array(each(st.sampled_from([-1, 0, 1])), dtype=np.int8),
    )


@st.composite
def questions(draw: st.DrawFn) -> Question:
    firms = st.sets(st.integers(0, 9).map(lambda i: f"F{i:02d}"), max_size=3)
    include = draw(firms)
    return Question(
        TASK,
        draw(st.integers(max(1, len(include)), 15)),
        draw(st.sampled_from(["", *MODES])),
        tuple(draw(st.sets(st.sampled_from(["甲区", "丙区"]), max_size=2))),
        tuple(draw(st.sets(st.sampled_from(["C39", "I"]), max_size=2))),
        tuple(draw(st.sets(st.sampled_from(["micro", "small"]), max_size=2))),
        tuple(include),
        tuple(draw(firms) - include),
    )


def plainly(world: Candidates, question: Question) -> list[str]:
    """The same choice one firm at a time, by the words of the question: the oracle."""

    def passes(i: int) -> bool:
        if world.firm_ids[i] in question.exclude or world.outside[i]:
            return False
        if question.districts and world.district[i] not in question.districts:
            return False
        if question.sizes and world.size[i] not in question.sizes:
            return False
        code = world.industry[i]
        if question.industries and not any(
            code and code.startswith(b) for b in question.industries
        ):
            return False
        if question.mode == "missed":
            return bool(world.missed[i] == 1)
        return not question.mode or bool(
            world.stage[i] >= 0 and CODES[world.stage[i]] == question.mode
        )

    row = {firm: i for i, firm in enumerate(world.firm_ids)}
    scored = [firm for firm in row if not world.outside[row[firm]]]
    order = sorted(scored, key=lambda firm: (-world.score[row[firm]], firm))
    must = [f for f in question.include if f in row and not world.outside[row[f]]]
    others = [f for f in order if f not in must and passes(row[f])]
    chosen = {*must, *others[: question.k - len(must)]}
    return [f for f in order if f in chosen]


@given(worlds(), questions())
def test_the_choice_is_what_its_words_say(world: Candidates, question: Question) -> None:
    found = choose(world, question)
    assert list(world.firm_ids[found.places]) == plainly(world, question)


@given(worlds(), questions())
def test_who_must_be_in_is_in_unless_the_law_keeps_it_out(
    world: Candidates, question: Question
) -> None:
    found = choose(world, question)
    listed = set(world.firm_ids[found.places])
    turned = {one.firm_id: one.reason for one in found.turned}
    assert set(question.include) == (listed & set(question.include)) | turned.keys()
    assert not listed & set(question.exclude)
    assert not listed & turned.keys()
    for firm, reason in turned.items():
        at = world.place(firm)
        assert reason == (OUTSIDE[world.outside[at]] if at >= 0 else "not_there")


@given(worlds(), questions())
def test_a_list_counts_itself(world: Candidates, question: Question) -> None:
    found = choose(world, question)
    assert len(found.places) + found.short == question.k
    assert found.short >= 0
    assert found.eligible == found.passing.sum()
    assert (np.diff(world.score[found.places]) <= 0).all()


@given(worlds(), questions(), st.integers(1, 15))
def test_a_longer_list_holds_the_shorter_one(
    world: Candidates, question: Question, more: int
) -> None:
    longer = Question.of(question.as_json() | {"k": question.k + more})
    assert set(choose(world, question).places) <= set(choose(world, longer).places)


def test_only_what_inclusion_brought_in_is_marked() -> None:
    world = ranked(4)
    found = choose(world, Question(TASK, 2, include=("F01", "F03")))
    assert marked(world, found) == [("F01", False), ("F03", True)]
    found = choose(world, Question(TASK, 3, include=("F00", "F03")))
    assert marked(world, found) == [("F00", False), ("F01", False), ("F03", True)]


def ranked(n: int) -> Candidates:
    nothing = np.full(n, None, dtype=object)
    zeros = np.zeros(n, dtype=np.int8)
    ids = np.array([f"F{i:02d}" for i in range(n)], dtype=object)
    score = -np.arange(n, dtype=float)
    return Candidates(ids, score, zeros, nothing, nothing, nothing, zeros, zeros)


def marked(world: Candidates, found: Choice) -> list[tuple[str, bool]]:
    return list(zip(world.firm_ids[found.places], found.included.tolist(), strict=True))


def test_unknown_is_counted_and_not_chosen() -> None:
    world = ranked(3)
    world = Candidates(**vars(world) | {"missed": np.array([-1, 1, 0], dtype=np.int8)})
    found = choose(world, Question(TASK, 3, "missed"))
    assert list(world.firm_ids[found.places]) == ["F01"]
    assert (found.unknown, found.eligible, found.short) == (1, 1, 2)
    assert list(world.firm_ids[found.open]) == ["F00"]


def test_candidates_rise_and_are_scored_inside() -> None:
    world = vars(ranked(3))
    with pytest.raises(Refused, match="must rise"):
        Candidates(**world | {"firm_ids": np.array(["b", "a", "c"], dtype=object)})
    with pytest.raises(Refused, match="must have a score"):
        Candidates(**world | {"score": np.array([1.0, np.nan, 0.0])})
    with pytest.raises(Refused, match="one length"):
        Candidates(**world | {"size": np.array([None], dtype=object)})


def test_stages_are_those_of_the_plan() -> None:
    assert STAGES == CODES


# ---------------------------------------------------------------------------------- questions


def test_a_question_names_all_its_problems() -> None:
    with pytest.raises(UsageError) as caught:
        Question("little giant", 0, "up", sizes=("tiny",), include=("A",), exclude=("A",))
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 5, problems


def test_a_list_must_hold_who_must_be_in() -> None:
    with pytest.raises(UsageError, match="k must hold the 2 firms"):
        Question(TASK, 1, include=("A", "B"))


@given(questions())
def test_a_question_comes_back_from_its_json(question: Question) -> None:
    assert Question.of(question.as_json()) == question


def test_what_is_asked_does_not_depend_on_how_it_is_written() -> None:
    assert Question(TASK, 5, districts=("b", "a", "b")) == Question(TASK, 5, districts=("a", "b"))


def test_modes_are_read_in_both_languages() -> None:
    assert [mode_of(word) for word in MODES.values()] == list(MODES)
    with pytest.raises(UsageError, match="upgrade"):
        mode_of("upgade")
