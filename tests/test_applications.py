"""Who applied in a batch, and a promotion as application times recognition."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
from test_titles import ALL, history
from test_titles import applied as row

from features.applications import Round, applied
from serving.shortlist.rows import factors_of

TIER = "little_giant"
SPRING = Round(TIER, "2026-little_giant", date(2026, 3, 1), date(2026, 5, 31))


def found(day: date, asked: Round = SPRING, coverage: tuple[str, ...] = ALL) -> dict[str, float]:
    seen = history(
        "eve first last after named words other review gone",
        coverage,
        applications=[
            row("eve", TIER, "2026-02-28"),
            row("first", TIER, "2026-03-01"),
            row("last", TIER, "2026-05-31"),
            row("after", TIER, "2026-06-01"),
            row("named", TIER, "2026-02-01", batch="2026-little_giant"),
            row("words", TIER, "2026-04-01", batch="第八批"),
            row("other", "srdi_provincial", "2026-04-01"),
            row("review", TIER, "2026-04-01", purpose="review"),
            row("gone", TIER, "2026-04-01", "2026-04-20", final_result="withdrawn"),
        ],
    )
    panel = seen.as_of(day)
    return dict(zip(panel.firm_ids, applied(panel, panel.firm_ids, asked), strict=True))


def test_an_application_belongs_to_a_batch_by_name_or_by_day() -> None:
    told = found(date(2026, 6, 30))
    assert {firm for firm, value in told.items() if value == 1} == {
        "first", "last", "named", "words",
    }  # fmt: skip
    assert {firm for firm, value in told.items() if value == 0} == {
        "eve", "after", "other", "review", "gone",
    }  # fmt: skip


def test_what_is_submitted_later_is_not_seen() -> None:
    told = found(date(2026, 4, 10))
    assert {f for f, v in told.items() if v == 1} == {"first", "named", "words", "gone"}


def test_without_coverage_no_application_is_unknown() -> None:
    told = found(date(2026, 6, 30), coverage=())
    assert {f for f, v in told.items() if v == 1} == {"first", "last", "named", "words"}
    assert all(np.isnan(v) for f, v in told.items() if v != 1)


def test_coverage_must_reach_the_day_or_the_end_of_the_round() -> None:
    seen = history("a", until=date(2026, 5, 31))
    for day, known in ((date(2026, 5, 31), True), (date(2026, 7, 1), True)):
        panel = seen.as_of(day)
        assert (applied(panel, panel.firm_ids, SPRING)[0] == 0) == known
    short = history("a", until=date(2026, 5, 30)).as_of(date(2026, 5, 31))
    assert np.isnan(applied(short, short.firm_ids, SPRING)[0])
    assert Round.of_year(TIER, "x", 2026) == Round(TIER, "x", date(2026, 1, 1), date(2026, 12, 31))


class Scored:
    """A task of a snapshot, as far as chances are read from it."""

    def __init__(self, chances: dict[int, float]) -> None:
        self.row_of = np.array([list(chances).index(n) if n in chances else -1 for n in range(4)])
        values = np.array([*chances.values()])
        self.scores = SimpleNamespace(probability=values, p_low=values, p_high=values)


def test_a_firm_that_is_not_asked_whether_it_will_apply_has_applied() -> None:
    application, recognition = Scored({0: 0.5, 2: 0.2}), Scored({0: 0.4, 1: 0.3})

    def chances(apply: Any, recognised: Any) -> list[list[float | None]]:
        found = [factors_of(apply, recognised, number) for number in range(4)]
        return [[part and part["probability"] for part in row.values()] for row in found]

    assert chances(application, recognition) == [[0.5, 0.4], [1.0, 0.3], [0.2, None], [None] * 2]
    assert chances(None, recognition) == [[None, 0.4], [None, 0.3], [None] * 2, [None] * 2]
    assert chances(application, None)[1] == [None, None]
