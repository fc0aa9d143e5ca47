"""A shortlist from a snapshot: its rows are what the lookups say, its counts add up."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_publication import casework, publication

from model.rank_law import RankLaw
from policy.logic import MET, MET_PENDING, NAMES
from policy.papers.dossier import ASKED as DOSSIER_ASKED
from serving import casework as cases
from serving.access import LOCAL, Viewer
from serving.lookups import Served, explanation
from serving.lookups_law import criteria
from serving.shortlist import candidates
from serving.shortlist.conflicts import Kin, conflicts
from serving.shortlist.export import exported
from serving.shortlist.making import exclusions_of, shortlist
from serving.shortlist.question import Question
from serving.shortlist.words import head_lines
from serving.snapshot import Snapshot, write
from tidu.digest import canonical_json
from tidu.errors import NotAvailable, NotFound, UsageError

TASK = "promotion:little_giant@12"
TASKS = (TASK, "application:little_giant@12", "growth@36")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    home = tmp_path_factory.mktemp("home")
    identity = write(publication(60, tasks=TASKS), home)
    return Served(Snapshot.open(home / "snapshots" / identity))


def asked(served: Served, **more: Any) -> dict[str, Any]:
    return shortlist(served, LOCAL, Question(**{"task": TASK, "k": 10} | more), casework())


def test_rows_are_what_the_lookups_say(served: Served) -> None:
    found = asked(served)
    canonical_json(found)
    assert [row["place"] for row in found["items"]] == list(range(1, 11))
    assert [row["rank"] for row in found["items"]] == list(range(1, 11))
    for row in found["items"]:
        why = explanation(served, LOCAL, row["firm_id"], TASK)
        assert row["score"] == why["score"]
        assert [r["text_zh"] for r in row["reasons"]["positive"]] == [
            r["text_zh"] for r in why["positive"]
        ]
        whole = criteria(served, LOCAL, row["firm_id"], ("little_giant", "new"))
        assert row["verdict"]["status"] == whole["status"]
        by_status = {"unmet": [], "unknown": [], "manual": []}
        for line in whole["criteria"]:
            by_status.get(line["status"], []).append(line["id"])
        for status, ids in by_status.items():
            assert [line["id"] for line in row["verdict"][status]] == ids
        gaps = {line["id"]: line["gap"] for line in whole["criteria"]}
        assert all(line["gap"] == gaps[line["id"]] for line in row["verdict"]["unmet"])


def test_a_chance_of_another_task_stands_beside(served: Served) -> None:
    for row in asked(served)["items"]:
        other = explanation(served, LOCAL, row["firm_id"], TASKS[1])
        assert row["p_apply"]["probability"] == other["probability"]
        assert row["p_recognised"] is None, "no such task is published"
        assert row["p_top"] is row["place_low"] is None, "no law of ranks is published"
    assert "ranks" in [note["code"] for note in asked(served)["notes"]]


def test_a_law_of_ranks_says_who_belongs(tmp_path: Path) -> None:
    given = publication(60, tasks=TASKS)
    law = RankLaw((-2.0, 2.0), (-1.5, 1.5), (0.3, 0.3), (0.2, 0.4))
    tasks = {**given.tasks, TASK: replace(given.tasks[TASK], rank_law=law)}
    identity = write(replace(given, tasks=tasks), tmp_path)
    known = Served(Snapshot.open(tmp_path / "snapshots" / identity))
    found = asked(known, districts=("区1", "区2"), k=6)["items"]
    whole = asked(known, districts=("区1", "区2"), k=60)["items"]
    ranks = np.array([row["rank"] for row in whole])
    low, high = law.interval(ranks, 50)
    for i, row in enumerate(found):
        assert row["p_top"] == pytest.approx(law.top(6, ranks, 50)[i])
        assert (row["place_low"], row["place_high"]) == (low[i], high[i])
        assert row["place_low"] <= row["place"] <= row["place_high"]
    assert {row["p_top"] for row in whole} == {1.0}, "a list of all holds all"


def test_what_every_reader_must_see_stands_on_every_row(tmp_path: Path) -> None:
    given = publication(60, tasks=TASKS)
    said = [{"code": "edition", "zh": "模型基于2022版标准样本", "en": "Learned under 2022"}]
    part = given.tasks[TASK]
    part = replace(part, facts={**part.facts, "statements": said})
    identity = write(replace(given, tasks={**given.tasks, TASK: part}), tmp_path)
    found = asked(Served(Snapshot.open(tmp_path / "snapshots" / identity)))
    assert found["statements"] == said
    assert [row["statements"] for row in found["items"]] == [said] * 10
    for form in ("csv", "html"):
        text = exported(found, form, "zh").decode()
        assert text.count("模型基于2022版标准样本") == (10 if form == "csv" else 11)


def test_papers_are_those_of_the_firms_own_page(served: Served) -> None:
    work = casework()
    for row in asked(served, k=5)["items"]:
        page = work.materials(served.snapshot, cases.Asked(row["firm_id"], "little_giant"))
        for state in ("missing", "expired"):
            ours = [(p["paper"], p["asked"]) for p in row["papers"][state]]
            assert ours == [(p["paper"], p["asked"]) for p in page["papers"] if p["state"] == state]
    bare = shortlist(served, LOCAL, Question(TASK, 3))
    assert [row["papers"] for row in bare["items"]] == [None] * 3
    assert "papers" in {note["code"] for note in bare["notes"]}
    assert cases.ASKED == DOSSIER_ASKED


def test_counts_and_districts_add_up(served: Served) -> None:
    found = asked(served, k=500)
    counts = found["counts"]
    assert counts["listed"] == counts["eligible"] == counts["cohort"] == 50
    assert counts["short"] == 450
    assert "short" in {note["code"] for note in found["notes"]}
    by_district = Counter(row["district"] for row in found["items"])
    assert {d["district"]: d["listed"] for d in found["districts"]} == by_district
    assert sum(d["eligible"] for d in found["districts"]) == counts["eligible"]


def test_modes_are_the_stages_and_the_missed(served: Served) -> None:
    rung = served.snapshot.rungs["little_giant"]
    ids = served.snapshot.firms.ids
    inside = served.snapshot.tasks[TASK].row_of >= 0
    for code, mode in ((1, "reserve"), (2, "cultivate"), (3, "upgrade")):
        found = asked(served, mode=mode, k=60)
        listed = {row["firm_id"] for row in found["items"]}
        sure = rung.open == 0 if mode == "cultivate" else np.full(60, True)
        assert listed == {ids[i] for i in np.flatnonzero((rung.stage == code) & inside & sure)}
        assert all(row["stage"] == mode for row in found["items"])


def fit(served: Served) -> Served:
    """The same snapshot, as if by the verdicts two firms in three might apply."""
    judged = copy(served.snapshot.verdicts["little_giant:new"])
    judged.status = np.array([MET, MET_PENDING, 0] * 20, dtype=np.int8)
    verdicts = {**served.snapshot.verdicts, "little_giant:new": judged}
    return Served(replace(served.snapshot, verdicts=verdicts))


def test_the_missed_may_apply_and_have_not(served: Served) -> None:
    known = fit(served)
    snapshot, ids = known.snapshot, known.snapshot.firms.ids
    rung, inside = snapshot.rungs["little_giant"], snapshot.tasks[TASK].row_of >= 0
    may = (snapshot.verdicts["little_giant:new"].status > 0) & inside
    found = asked(known, mode="missed", k=60)
    expected = {ids[i] for i in np.flatnonzero(may & (rung.applied == 0))}
    assert {row["firm_id"] for row in found["items"]} == expected
    assert found["counts"]["unknown"] == int((may & (rung.applied == -1)).sum())
    assert len(expected) > 3
    assert found["counts"]["unknown"] > 3
    notes = {note["code"]: note["zh"] for note in found["notes"]}
    assert str(found["counts"]["unknown"]) in notes["unknown"]
    for name in ("eligible", "listed", "unknown"):
        assert sum(d[name] for d in found["districts"]) == found["counts"][name]
    where = snapshot.firms.brief(int(np.flatnonzero(may & (rung.applied == -1))[0]))["district"]
    assert next(d["unknown"] for d in found["districts"] if d["district"] == where) > 0
    every = asked(known)
    for lang, word in (("zh", "列入/不能判断"), ("en", "listed/unknown")):
        assert any(word in line for line in head_lines(found, lang))
        assert not any(word in line for line in head_lines(every, lang))
    assert {"batch"} <= {note["code"] for note in found["notes"]}
    assert (candidates.MET, candidates.MET_PENDING) == (MET, MET_PENDING)
    assert NAMES[candidates.MET_PENDING] == "met_pending"


def test_filters_and_districts_of_the_viewer(served: Served) -> None:
    found = asked(served, districts=("区1", "区2"), sizes=("small",), k=60)
    assert {row["size"] for row in found["items"]} == {"small"}
    assert {row["district"] for row in found["items"]} <= {"区1", "区2"}
    official = Viewer("x", frozenset({"official"}), frozenset({"区3"}))
    own = shortlist(served, official, Question(TASK, 60))
    assert {row["district"] for row in own["items"]} == {"区3"}
    with pytest.raises(UsageError, match="F000001: no such firm"):
        shortlist(served, official, Question(TASK, 60, include=("F000001",)))


def test_firms_that_must_be_in(served: Served) -> None:
    last = asked(served, k=60)["items"][-1]["firm_id"]
    found = asked(served, k=3, include=(last,))
    assert found["items"][-1]["firm_id"] == last
    assert [row["included"] for row in found["items"]] == [False, False, True]
    with pytest.raises(UsageError, match="已持有该层级的有效称号") as caught:
        asked(served, include=("F000000", "F999999"))
    told = caught.value.details["turned"]
    assert isinstance(told, list)
    assert [one["reason"] for one in told] == ["holds_title", "not_there"]


def test_slips_are_named(served: Served) -> None:
    with pytest.raises(UsageError, match="Did you mean 区1"):
        asked(served, districts=("区11",))
    with pytest.raises(UsageError, match="industry"):
        asked(served, industries=("Z",))
    with pytest.raises(NotFound, match="little_giant"):
        asked(served, task="promotion:little_gaint@12")
    with pytest.raises(UsageError, match="a task about rising to a tier"):
        asked(served, task="growth@36", mode="upgrade")


def test_a_snapshot_without_the_ladder_still_lists(tmp_path: Path) -> None:
    identity = write(replace(publication(60, tasks=TASKS), standing=None), tmp_path)
    old = Served(Snapshot.open(tmp_path / "snapshots" / identity))
    found = asked(old)
    assert len(found["items"]) == 10
    assert {row["stage"] for row in found["items"]} == {None}
    for more in ({"mode": "upgrade"}, {"mode": "missed"}, {"sizes": ("small",)}):
        with pytest.raises(NotAvailable, match="must be a part") as caught:
            asked(old, **more)
        assert "Publish again" in caught.value.cure


def test_a_list_about_no_tier_has_no_verdicts(served: Served) -> None:
    found = asked(served, task="growth@36")
    assert found["edition"] is None
    assert {row["verdict"] for row in found["items"]} == {None}


# ----------------------------------------------------------------------------------- conflicts


def kin(**more: Any) -> Kin:
    given = {"group": [0, 0, 1, 0, -1], "niche": [5, 5, 5, 6, 5], "industry": [1, 2, 1, 3, 1]}
    codes = {name: np.array(values, dtype=np.int32) for name, values in (given | more).items()}
    return Kin(**codes, holds=np.array([False, False, False, True, False]))


RULE = {"clause": "117号 二", "document": "117号", "id": "no_group_conflict"}
NAMED = dict(enumerate("ABCDE"))


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, list[str], bool]]:
    return [(c["kind"], [w["firm_id"] for w in c["with"]], c["excludes"]) for c in found]


def test_groups_conflict_by_control_and_by_product() -> None:
    found = conflicts(kin(), [1, 0, 2, 4], NAMED, RULE)
    # B stands first: the holder D is of its group; A sells into the same niche, and yields to B.
    assert kinds(found[0]) == [("control", ["A", "D"], True), ("product", ["A"], False)]
    assert kinds(found[1]) == [("control", ["B", "D"], True), ("product", ["B"], True)]
    assert found[2] == found[3] == [], "alone in its group; of unknown group"
    assert "D(已持有称号)" in found[0][0]["zh"]
    assert found[0][0]["with"][1] == {"firm_id": "D", "place": None, "holds": True}


def test_an_edition_without_the_rule_excludes_nobody() -> None:
    found = conflicts(kin(), [1, 0], NAMED, None)
    assert [c["excludes"] for own in found for c in own] == [False] * 4
    assert {c["clause"] for own in found for c in own} == {None}


def test_entry_conditions_are_cited_as_exclusions(served: Served) -> None:
    found = exclusions_of(served.snapshot.law)
    assert {"not_dishonest", "sme", "not_barred", "no_group_conflict"} <= found
    assert "rd_ratio" not in found
    assert exclusions_of({}) == {"no_group_conflict"}
