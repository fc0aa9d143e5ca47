"""What the city sets: a right file gives its values, a wrong one says everything that is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.city_file import check_city, read_city
from policy.law import Batch, CitySettings, Review
from policy.loading import standing
from policy.plan.files import check_rows, load_plans
from policy.problems import Problems
from tidu.errors import DataError

RIGHT = """
[parameters]
municipal_score_line = 55
reward_reading = "lifetime_difference"
reward_since = 2022-06-01

[tasks.G4]
"高新区" = 12

[reviews.A15]
document = "公平竞争审查〔2026〕1号"
on = 2026-05-01
by = "市场监管局"

[budgets.2026]
A7 = 3000

[changes.class1_ip]
lead_months = 12

[[batches]]
tier = "little_giant"
year = 2026
quota = 20
opens_on = 2026-04-25
closes_on = 2026-05-25

[[batches]]
tier = "little_giant"
year = 2026
purpose = "review"
"""


def read(text: str | bytes) -> tuple[CitySettings, list[Batch], list[tuple[str, str]]]:
    """Settings, batches and the problems, each as key and message."""
    problems = Problems("city.toml")
    content = text if isinstance(text, bytes) else text.encode()
    settings, batches = read_city(content, problems)
    law = standing()
    check_city(settings, batches, (law.parameters, law.tiers), problems)
    return settings, batches, [(issue.column or "", issue.message) for issue in problems.found]


def test_a_right_file_gives_its_values() -> None:
    settings, batches, problems = read(RIGHT)
    assert problems == []
    assert settings.parameters == {
        "municipal_score_line": 55,
        "reward_reading": "lifetime_difference",
        "reward_since": "2022-06-01",
    }
    assert settings.tasks == {"G4": {"高新区": 12.0}}
    review = Review("公平竞争审查〔2026〕1号", date(2026, 5, 1), "市场监管局")
    assert settings.reviews == {"A15": review}
    assert settings.budgets == {2026: {"A7": 3000.0}}
    assert settings.changes == {"class1_ip": {"lead_months": 12}}
    new, again = batches
    assert (new.quota, new.data_year, new.closes_on) == (20, 2025, date(2026, 5, 25))
    assert (new.id, again.id) == ("2026-little_giant", "2026-little_giant-review")


def test_without_a_file_nothing_is_set() -> None:
    problems = Problems("city.toml")
    assert read_city(None, problems) == (CitySettings(), [])
    assert problems.found == []


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[parameters]", "[surprise]", "surprise"),
        ("municipal_score_line = 55", 'municipal_score_line = "55"', "municipal_score_line"),
        ("municipal_score_line = 55", "municipal_score_line = nan", "municipal_score_line"),
        ("municipal_score_line = 55", "municipal_score_line = true", "municipal_score_line"),
        ("municipal_score_line = 55", "municipal_score_line = [55]", "municipal_score_line"),
        ("municipal_score_line", "municipal_line", "parameters.municipal_line"),
        ("lifetime_difference", "both", "reward_reading"),
        ("reward_since = 2022-06-01", 'reward_since = "June"', "reward_since"),
        ('"高新区" = 12', '"高新区" = -1', "tasks.G4.高新区"),
        ('"高新区" = 12', '"高新区" = "12"', "tasks.G4.高新区"),
        ("[tasks.G4]", "[[tasks.G4]]", "tasks.G4"),
        ("on = 2026-05-01", 'on = "2026-05-01"', "reviews.A15.on"),
        ("on = 2026-05-01", "", "reviews.A15.on"),
        ("[reviews.A15]", "[[reviews.A15]]", "reviews.A15"),
        ('by = "市场监管局"', "", "reviews.A15.by"),
        ("[budgets.2026]", "[budgets.next]", "budgets.next"),
        ("[changes.class1_ip]", "[[changes.class1_ip]]", "changes.class1_ip"),
        ("A7 = 3000", "A7 = -3000", "budgets.2026.A7"),
        ('tier = "little_giant"\nyear = 2026\nquota', 'tier = "giant"\nyear = 2026\nquota', "tier"),
        ("quota = 20", "quota = -1", "batches[0].quota"),
        ("quota = 20", "quota = 2.5", "batches[0].quota"),
        ("closes_on = 2026-05-25", "closes_on = 2026-04-24", "batches[0].closes_on"),
        ('purpose = "review"', 'purpose = "again"', "batches[1].purpose"),
        ('purpose = "review"', "", "batches[1]"),
        ("year = 2026\nquota", "year = 20260\nquota", "batches[0].year"),
        ("year = 2026\nquota", "quota", "batches[0].year"),
        ("quota = 20", "quotas = 20", "batches[0].quotas"),
        ("quota = 20", "data_year = 2026", "batches[0].data_year"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(old: str, new: str, key: str) -> None:
    assert old in RIGHT
    _, _, problems = read(RIGHT.replace(old, new, 1))
    assert any(key in found for found, _ in problems), problems


def test_everything_wrong_is_said_at_once() -> None:
    text = (
        RIGHT.replace("= 55", '= "55"').replace("= 12", "= -1").replace("quota = 20", "quota = 1.5")
    )
    _, _, problems = read(text)
    assert [key for key, _ in problems] == [
        "tasks.G4.高新区",
        "batches[0].quota",
        "parameters.municipal_score_line",
    ]


@pytest.mark.parametrize("content", [b"no toml", b"\xff\xfe", b'a = "\xd6\xd0"', b"\x00"])
def test_what_is_no_toml_in_utf8_is_one_problem(content: bytes) -> None:
    settings, batches, problems = read(content)
    assert (settings, batches, len(problems)) == (CitySettings(), [], 1)


def test_a_row_that_no_plan_has_is_refused() -> None:
    plans = load_plans()
    check_rows(plans, read(RIGHT)[0])
    settings, _, _ = read(RIGHT.replace("tasks.G4", "tasks.G44").replace("A15", "A99"))
    with pytest.raises(DataError) as caught:
        check_rows(plans, settings)
    assert [issue.column for issue in caught.value.issues] == ["tasks.G44", "reviews.A99"]


SCALARS = st.one_of(
    st.booleans(), st.integers(-5, 3000), st.floats(), st.text(max_size=4), st.dates()
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3)
)
FIELDS = st.sampled_from(
    ["tier", "year", "purpose", "opens_on", "data_year", "quota", "document", "on", "G4", "2026"]
)


@given(
    st.dictionaries(
        st.sampled_from(["parameters", "tasks", "reviews", "budgets", "batches"]),
        VALUES | st.lists(st.dictionaries(FIELDS, VALUES, max_size=4), max_size=2)
        | st.dictionaries(FIELDS, VALUES | st.dictionaries(FIELDS, VALUES), max_size=3),
    )
)  # fmt: skip
def test_no_file_breaks_the_reader(raw: dict[str, Any]) -> None:
    """Whatever stands in the file, it is read or its problems are named: nothing else is raised."""
    _, _, problems = read(written(raw))
    assert all(message for _, message in problems)


def written(value: Any) -> str:
    """Any value as TOML, tables inline."""
    return "\n".join(f"{_quoted(k)} = {_value(v)}" for k, v in value.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float):
        return repr(value) if "e" not in repr(value) else f"{value:.1f}"
    return str(value)


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'
