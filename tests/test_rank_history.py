"""A firm's rank over snapshots: against the publications themselves, over HTTP and as a command."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from http_client import GROWTH, Client, point_at
from sample_publication import publication as freshly
from small_city import call, done, refused

from serving.publication import Publication, TaskPart
from serving.rank_history import Standings, catalogue, ordered
from serving.snapshot import Snapshot, available, write
from tidu.errors import Refused


@cache
def publication(seed: int = 0) -> Publication:
    """Without verdicts, of which nothing is asked here but by which law they were."""
    return replace(freshly(seed=seed), planned=None)


def scored_anew(part: TaskPart, seed: int) -> TaskPart:
    """The same bundle on other figures: every contribution and value is drawn anew."""
    rng = np.random.default_rng(seed)
    contributions = part.contributions.copy()
    contributions[:, :-1] += rng.normal(0, 0.3, contributions[:, :-1].shape)
    score = contributions.sum(axis=1)
    rank = np.empty(len(score))
    ids = part.scores["firm_id"].to_numpy(dtype=str)
    rank[np.lexsort((ids, -score))] = np.arange(1, len(score) + 1)
    chance = 1 / (1 + np.exp(-score))
    scores = part.scores.assign(
        score=score, rank=rank, probability=chance, p_low=chance, p_high=chance
    )
    values = part.values + rng.normal(0, 1, part.values.shape)
    return replace(part, contributions=contributions, scores=scores, values=values)


def without(part: TaskPart, firm_id: str) -> TaskPart:
    """The same part without one firm of the cohort."""
    stays = (part.scores["firm_id"] != firm_id).to_numpy()
    scores = part.scores[stays].reset_index(drop=True)
    scores["rank"] = scores["rank"].rank()
    peers = None if part.peers is None else part.peers[stays]
    rows = (part.contributions[stays], part.values[stays])
    return replace(part, scores=scores, contributions=rows[0], values=rows[1], peers=peers)


def three(home: Path) -> list[Publication]:
    """One bundle on two days, then another bundle: published out of order."""
    first = publication(seed=0)
    second = replace(publication(seed=2), tasks={GROWTH: scored_anew(first.tasks[GROWTH], 1)})
    third = replace(publication(seed=3), judged=first.judged)
    made = [first, second, third]
    for each in (third, first, second):
        write(each, home)
    return made


def rank_of(part: TaskPart, firm_id: str) -> int:
    rows = part.scores.set_index("firm_id")
    return int(rows.loc[firm_id, "rank"])


def test_every_standing_is_that_of_its_publication(home: Path) -> None:
    made = three(home)
    entries = ordered(catalogue(home), {})
    assert [e["as_of"] for e in entries] == sorted(p.as_of.isoformat() for p in made)
    for firm_id in ("F000007", "F000031"):
        items = Standings(home).history(firm_id, GROWTH, entries)
        assert [i["rank"] for i in items] == [rank_of(p.tasks[GROWTH], firm_id) for p in made]
        assert [i["of"] for i in items] == [50, 50, 50]
        assert items[0]["moved"] is None
        for before, after in pairwise(items):
            assert after["moved"]["since"] == before["snapshot_id"]
            assert after["moved"]["rank"] == after["rank"] - before["rank"]
            assert before["probability"] + after["moved"]["probability"] == pytest.approx(
                after["probability"]
            )


def test_under_one_bundle_the_figures_that_moved_the_score_are_exact(home: Path) -> None:
    made = three(home)
    firm_id = "F000007"
    items = Standings(home).history(firm_id, GROWTH, ordered(catalogue(home), {}))
    moved = items[1]["moved"]
    assert moved["changed"] == ["data"]
    parts = [p.tasks[GROWTH] for p in made[:2]]
    at = [part.scores["firm_id"].tolist().index(firm_id) for part in parts]
    change = parts[1].contributions[at[1], :-1] - parts[0].contributions[at[0], :-1]
    assert moved["score"] == pytest.approx(change.sum())
    best = np.argsort(-np.abs(change))[:3]
    assert [f["feature"] for f in moved["figures"]] == [f"f{j}" for j in best]
    assert [f["contribution"] for f in moved["figures"]] == pytest.approx(change[best])
    for figure, j in zip(moved["figures"], best, strict=True):
        for key, part, row in (("before", parts[0], at[0]), ("after", parts[1], at[1])):
            value = part.values[row, j]
            assert figure[key] == (None if np.isnan(value) else value)


def test_two_bundles_do_not_compare(home: Path) -> None:
    three(home)
    moved = Standings(home).history("F000007", GROWTH, ordered(catalogue(home), {}))[2]["moved"]
    assert moved["changed"] == ["data", "model"]
    assert (moved["score"], moved["figures"]) == (None, None)


def test_a_firm_outside_or_unknown_has_no_rank_and_the_next_move_spans_it(home: Path) -> None:
    first = publication(seed=0)
    part = first.tasks[GROWTH]
    gone = replace(publication(seed=2), tasks={GROWTH: without(part, "F000007")})
    back = replace(publication(seed=3), tasks={GROWTH: scored_anew(part, 5)})
    ids = [write(each, home) for each in (first, gone, back)]
    items = Standings(home).history("F000007", GROWTH, ordered(catalogue(home), {}))
    assert [i["state"] for i in items] == ["scored", "outside", "scored"]
    assert items[1]["rank"] is items[1]["probability"] is items[1]["moved"] is None
    assert items[2]["moved"]["since"] == ids[0]
    nobody = Standings(home).history("F999999", GROWTH, ordered(catalogue(home), {}))
    assert {(i["state"], i["rank"], i["tier"]) for i in nobody} == {("not_there", None, None)}


def test_snapshots_of_one_day_go_by_when_they_came_into_service() -> None:
    entries = [{"snapshot_id": n, "as_of": d} for n, d in (("b", "2"), ("a", "2"), ("c", "1"))]
    entries.append({"snapshot_id": "unreadable"})
    found = ordered(entries, {"b": "2026-01-01", "a": "2026-01-02"})
    assert [e["snapshot_id"] for e in found] == ["c", "b", "a"]


def test_only_the_parts_of_the_task_are_opened_and_they_are_verified(home: Path) -> None:
    identity = write(publication(), home)
    path = home / "snapshots" / identity
    (path / "profile.arrow").unlink()
    entries = ordered(catalogue(home), {})
    assert Standings(home).history("F000007", GROWTH, entries)[0]["rank"]
    file = path / "scores.growth@36.arrow"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused, match=r"scores\.growth@36\.arrow"):
        Standings(home).history("F000007", GROWTH, entries)
    with pytest.raises(Refused, match=r"profile\.arrow"):
        Snapshot.open(path)


def test_history_over_http_names_every_snapshot_with_the_task(
    client: Client, tmp_path: Path
) -> None:
    point_at(tmp_path, write(publication(seed=2), tmp_path))
    client.app.state.follower.look()
    answer = client.get(f"/v1/firms/F000007/history?task={GROWTH}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    items = answer.json()["items"]
    assert {i["snapshot_id"] for i in items} == set(available(tmp_path))
    assert [i["as_of"] for i in items] == ["2024-06-30", "2024-07-02"]
    assert items[1]["rank"] == client.get("/v1/firms/F000007").json()["scores"][1]["rank"]
    assert client.get("/v1/firms/nobody/history?task=growth@36").status_code == 404
    assert client.get("/v1/firms/F000007/history?task=growth@7").status_code == 404
    assert client.get("/v1/firms/F000007/history").status_code == 422


def test_the_command_says_the_same(home: Path) -> None:
    made = three(home)
    point_at(home, available(home)[0])
    found = done(home, "history", "F000007", "--task", "growth")
    assert [i["rank"] for i in found["items"]] == [
        rank_of(p.tasks[GROWTH], "F000007") for p in made
    ]
    for lang, words in (("zh", ("位次", "数据、模型")), ("en", ("rank", "data, model"))):
        answer = call(home, "history", "F000007", "--task", GROWTH, "--lang", lang)
        assert answer.status == 0, answer
        assert all(word in answer.out for word in words), answer.out
        assert found["snapshot_id"] in answer.err
    outside = call(home, "history", "F000006", "--task", GROWTH)
    assert outside.out.count("不在评分范围") == 3
    assert refused(home, "history", "nobody", "--task", GROWTH)["code"] == "not_found"
