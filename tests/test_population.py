"""A home holds one population."""

from __future__ import annotations

from datetime import date

import pytest

from features.mapping import Coverage, Mapping, OutcomeRule, Source, TaskDefaults
from features.population import Population
from features.schema import Column
from tidu.errors import Refused

SOURCE = Source("a", "b", ("test",), date(2030, 1, 1))
LISTED = Coverage("listed", date(2016, 1, 1), date(2020, 12, 31))
QUOTED = Coverage("quoted", date(2016, 1, 1), date(2020, 12, 31))
AGE = Column("annual", "age", "年龄", "Age", "float", extra=True)
TWO_YEARS = TaskDefaults("growth", 24, 100.0)


def mapping(name: str, **parts: object) -> Mapping:
    return Mapping(name, SOURCE, (), **parts)  # type: ignore[arg-type]


def test_mappings_that_agree_add_up() -> None:
    one = mapping("one", coverage=(LISTED,), tasks=(TWO_YEARS,), extras=(AGE,))
    two = mapping("two", coverage=(LISTED, QUOTED), tasks=(TWO_YEARS,), extras=(AGE,))
    joined = Population().joined(one).joined(two).joined(one)
    assert joined.coverage == (LISTED, QUOTED)
    assert joined.defaults == (TWO_YEARS,)
    assert joined.extras == (AGE,)
    assert joined.outcome_task is None


def test_all_contradictions_are_told_at_once() -> None:
    other = Coverage("listed", date(2016, 1, 1), date(2021, 12, 31))
    one = mapping("one", coverage=(LISTED,), tasks=(TWO_YEARS,))
    two = mapping("two", coverage=(other,), tasks=(TaskDefaults("growth", 12),))
    with pytest.raises(Refused) as refused:
        Population().joined(one).joined(two)
    for word in ("'one'", "'two'", "listed", "growth"):
        assert word in str(refused.value)


def test_row_labels_of_two_tasks_name_both_mappings() -> None:
    one = mapping("one", outcome=OutcomeRule("o", "distress", ("1",)))
    two = mapping("two", outcome=OutcomeRule("o", "growth", ("1",)))
    held = Population().joined(one).joined(mapping("plain"))
    assert held.outcome_task == "distress"
    with pytest.raises(Refused, match=r"'one'.*'two'"):
        held.joined(two)


def test_a_contradiction_changes_nothing() -> None:
    held = Population().joined(mapping("one", tasks=(TWO_YEARS,)))
    with pytest.raises(Refused):
        held.joined(mapping("two", tasks=(TaskDefaults("growth", 12),), coverage=(LISTED,)))
    assert held.coverage == ()
    assert held.defaults == (TWO_YEARS,)
