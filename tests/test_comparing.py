"""Two lists of a city compared: the worlds between them are those one would really publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from http_client import Client, point_at
from small_city import Trained, call, copied, done, quick, refused
from test_difference import by_all_orders
from test_replay import corrected

from features.panel import History
from model.bundle import Bundle, load
from policy.law import Law
from policy.loading import CITY, law_of, standing
from serving.access import LOCAL
from serving.app import Config, create_app
from serving.casework import Casework
from serving.lookups import Served
from serving.publishing import Rules, published
from serving.rank_history import editions
from serving.replay import plan_of
from serving.shortlist.attribution import FACTORS, UNITS, mixtures
from serving.shortlist.candidates import candidates_of
from serving.shortlist.choice import choose
from serving.shortlist.comparing import Side, compared
from serving.shortlist.question import Question
from serving.shortlist.worlds import Needs, Worlds, in_force_on
from serving.snapshot import Snapshot, write
from serving.wire_changes import ListDifference
from serving.workspace import Workspace
from tidu.errors import NotFound, Refused, UsageError

TASK = "promotion:srdi_municipal@12"
TRAINED, DAYS = "2025-06-30", (date(2025, 6, 30), date(2026, 6, 30))
FEWER = b"[parameters]\nstage_multiple = 0.004\n"
"""The line of 提升 is that of the 10th firm or so, where it was that of the last."""


@dataclass(frozen=True)
class Home:
    """A home with two states of everything: records and day, bundle, law."""

    path: Path
    bundles: tuple[Bundle, Bundle]
    heads: tuple[str, str]

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.path)

    @cached_property
    def casework(self) -> Casework:
        known = {bundle.id: bundle for bundle in self.bundles}

        def bundle(identity: str) -> Bundle:
            if identity not in known:
                raise NotFound(f"No bundle {identity}.")
            return known[identity]

        return Casework(self.workspace.vault.at, bundle)

    @cached_property
    def histories(self) -> tuple[History, ...]:
        return tuple(map(self.workspace.vault.at, self.heads))

    @cached_property
    def laws(self) -> tuple[Law, Law]:
        return standing(), law_of({**standing().content, CITY: FEWER})

    @cached_property
    def made(self) -> dict[tuple[int, int, int], Snapshot]:
        return {}

    def snapshot(self, data: int, model: int, rule: int) -> Snapshot:
        """That state published for good."""
        key = (data, model, rule)
        if key not in self.made:
            law = self.laws[rule]
            plan = plan_of(self.path, law.content, "2025")
            bundle = replace(self.bundles[model])
            whole = published(self.histories[data], DAYS[data], [bundle], Rules(law, plan))
            lean = replace(whole, profile=None)
            identity = write(lean, self.path)
            self.made[key] = Snapshot.open(self.path / "snapshots" / identity)
        return self.made[key]

    def compare(self, before: Side, after: Side) -> dict[str, Any]:
        return compared(before, after, LOCAL, self.casework, self.plan)

    def plan(self, snapshot: Snapshot) -> Any:
        return plan_of(self.path, snapshot.law, "2025")


@pytest.fixture(scope="module")
def city(city_home: Trained, city_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    place = tmp_path_factory.mktemp("comparing")
    path = copied(city_home.home, place / "home")
    heads, bundles = [Workspace(path).vault.head], []
    with quick():
        for seed in (0, 5):
            found = done(path, "train", "--task", TASK, "--as-of", TRAINED, "--seed", seed)
            bundles.append(load(Path(found["path"])))
    corrected(path, city_files, place)
    heads.append(Workspace(path).vault.head)
    return Home(path, (bundles[0], bundles[1]), (heads[0], heads[1]))


def asked(**more: Any) -> Question:
    return Question(TASK, **{"k": 8, **more})


def firms(snapshot: Snapshot, question: Question) -> list[str]:
    found = candidates_of(Served(snapshot), LOCAL, question, filters_match=False)
    return [str(firm) for firm in found.firm_ids[choose(found, question).places]]


def whole(found: Mapping[str, Any]) -> None:
    """Every entry is one whole, every exit one whole less, every move as many places as it is."""
    for kind, total in (("entered", 1), ("left", -1)):
        for move in found[kind]:
            assert sum(move["parts"][f] for f in FACTORS) == total * move["parts"]["of"]
            assert move["text_zh"]
            assert move["text_en"]
    for move in found["stayed"]:
        parts = [move["parts"][f] for f in FACTORS]
        assert sum(parts) == UNITS * (move["after"] - move["before"])
    summary = found["summary"]
    totals = sum(summary["totals"][f] for f in FACTORS)
    assert totals == UNITS * (summary["entered"] - summary["left"])
    assert totals == UNITS * (summary["after"] - summary["before"])


def alone(found: Mapping[str, Any], factor: str) -> None:
    """One factor differs, and it has the whole of every entry and exit."""
    assert found["factors"] == [factor]
    assert found["missing"] is None
    assert found["entered"], "nothing entered: the case shows nothing"
    for kind, sign in (("entered", 1), ("left", -1)):
        for move in found[kind]:
            expected = {f: sign * UNITS if f == factor else 0 for f in FACTORS}
            assert move["parts"] == {"of": UNITS, **expected}
            assert move["cause"] == factor
    whole(found)


# ---- one factor alone


def test_another_length_is_all_quota(city: Home) -> None:
    snapshot = city.snapshot(0, 0, 0)
    found = city.compare(Side(snapshot, asked(k=8)), Side(snapshot, asked(k=12)))
    alone(found, "quota")
    assert [len(found[kind]) for kind in ("entered", "left", "stayed")] == [4, 0, 8]
    assert {move["why"]["code"] for move in found["entered"]} == {"behind"}
    assert all(move["figures"] is None for move in found["entered"])
    assert "名额与筛选变化 +1.00" in found["entered"][0]["text_zh"]


def test_an_excluded_firm_left_by_quota_and_that_is_said(city: Home) -> None:
    snapshot = city.snapshot(0, 0, 0)
    first = firms(snapshot, asked())[0]
    found = city.compare(Side(snapshot, asked()), Side(snapshot, asked(exclude=(first,))))
    alone(found, "quota")
    assert [move["firm_id"] for move in found["left"]] == [first]
    assert found["left"][0]["why"]["code"] == "excluded"


def test_another_bundle_is_all_model(city: Home) -> None:
    found = city.compare(
        Side(city.snapshot(0, 0, 0), asked()), Side(city.snapshot(0, 1, 0), asked())
    )
    alone(found, "model")


def test_another_law_is_all_rule(city: Home) -> None:
    question = asked(mode="upgrade", k=200)
    sides = [Side(city.snapshot(0, 0, rule), question) for rule in (1, 0)]
    found = city.compare(sides[0], sides[1])
    alone(found, "rule")
    assert {move["why"]["code"] for move in found["entered"]} == {"not_asked"}


def test_later_records_are_all_data_and_name_the_figures(city: Home) -> None:
    before, after = city.snapshot(0, 0, 0), city.snapshot(1, 0, 0)
    found = city.compare(Side(before, asked()), Side(after, asked()))
    alone(found, "data")
    told = [move for move in found["stayed"] if move["figures"]]
    assert told
    for move in told:
        rows = []
        for snapshot in (before, after):
            task, number = snapshot.tasks[TASK], snapshot.firms.number(move["firm_id"])
            assert number is not None
            rows.append(task.reasons.contributions[task.row_of[number], :-1])
        change = rows[1] - rows[0]
        assert abs(move["figures"][0]["contribution"]) == pytest.approx(abs(change).max())


# ---- the worlds between


@pytest.mark.parametrize(
    ("key", "mode"),
    [((1, 0, 0), ""), ((0, 1, 1), "upgrade"), ((1, 1, 0), "missed"), ((0, 0, 1), "missed")],
)
def test_a_world_is_what_one_would_publish(
    city: Home, key: tuple[int, int, int], mode: str
) -> None:
    """Records, bundle and law of that mixture, published for good, give the same candidates.

    Not so of a law whose edition in force is another on the other day: the city's edition for
    this tier is one throughout.
    """
    question = asked(mode=mode, k=500)
    needs = Needs(TASK, bool(mode), mode == "upgrade")
    worlds = Worlds(city.snapshot(0, 0, 0), city.snapshot(1, 1, 1), needs, city.casework, city.plan)
    assert worlds.differing == {"data", "model", "rule"}
    between = worlds.snapshot(*(bool(k) for k in key))
    real = city.snapshot(*key)
    one, two = (candidates_of(Served(s), LOCAL, question) for s in (between, real))
    assert one.firm_ids.tolist() == two.firm_ids.tolist()
    names = ["score", *(["outside", "missed", "size"] if mode else [])]
    names += ["stage"] if needs.stages else []
    for name in names:
        left, right = getattr(one, name), getattr(two, name)
        assert [str(x) for x in left] == [str(x) for x in right], name
    assert firms(between, question) == firms(real, question)
    assert firms(real, question)


@pytest.mark.parametrize("mode", ["", "upgrade"])
def test_parts_are_the_mean_over_all_orders_of_really_published_worlds(
    city: Home, mode: str
) -> None:
    """Eight publications, two questions, twenty-four orders: nothing of ours stands between."""
    questions = asked(mode=mode, k=10), asked(mode=mode, k=8)
    lists = [
        firms(city.snapshot(data, model, rule), questions[quota])
        for data, model, rule, quota in mixtures()
    ]
    sides = [Side(city.snapshot(k, k, k), questions[k]) for k in (0, 1)]
    found = city.compare(sides[0], sides[1])
    assert set(found["factors"]) == set(FACTORS)
    assert found["missing"] is None
    assert found["entered"]
    assert found["left"]
    whole(found)
    for move in (*found["entered"], *found["left"]):
        held = [int(move["firm_id"] in each) for each in lists]
        parts = [Fraction(move["parts"][f], UNITS) for f in FACTORS]
        assert parts == by_all_orders(held)
    back = city.compare(sides[1], sides[0])
    there = {m["firm_id"]: m["parts"] for m in found["entered"]}
    for move in back["left"]:
        parts = there[move["firm_id"]]
        assert all(move["parts"][f] == -parts[f] for f in FACTORS)


def test_an_edition_that_comes_into_force_is_rule_where_it_is_about_the_tier(city: Home) -> None:
    inputs = [city.snapshot(*key).manifest["inputs"] for key in ((0, 0, 0), (1, 0, 0))]
    assert inputs[0]["policy_edition"] == inputs[1]["policy_edition"]
    for tier, alike in (("srdi_provincial", False), ("srdi_municipal", True), ("", True)):
        assert (editions(inputs[0], tier) == editions(inputs[1], tier)) == alike, tier


def test_saved_lists_are_compared_over_http_and_on_the_command_line_alike(city: Home) -> None:
    """Lists of two published days; the bundles lie in the home, so nothing is put in for them."""
    home = city.path
    ids = []
    for key in ((0, 0, 0), (1, 1, 0)):
        point_at(home, city.snapshot(*key).id)
        ids.append(done(home, "shortlist", "--task", TASK, "--k", 9, "--save")["shortlist_id"])
    with quick():
        told = done(home, "shortlist", "diff", *ids)
        assert set(told["factors"]) == {"data", "model"}
        assert told["missing"] is None
        whole(told)
        workspace = Workspace(home)
        app = create_app(Config(home, casework=Casework.of(workspace)))
        app.state.follower.look()
        client = Client(app)
        answer = client.get(f"/v1/shortlists/{ids[0]}/diff/{ids[1]}")
        assert answer.status_code == 200, answer.text
        ListDifference.model_validate(answer.json())
        assert answer.json() == told
        now = client.get(f"/v1/shortlists/{ids[0]}/diff/current")
        assert now.headers["cache-control"] == "no-store"
        assert [m["parts"] for m in now.json()["entered"]] == [m["parts"] for m in told["entered"]]
        assert client.get(f"/v1/shortlists/{ids[0]}/diff/nothing").status_code == 404
        for queue in (app.state.follower, app.state.pool, app.state.cases, app.state.desk):
            queue.close()
        pair = [city.snapshot(*key).id[:12] for key in ((0, 0, 0), (1, 1, 0))]
        asked_of_both = done(home, "shortlist", "diff", *pair, "--task", TASK, "--k", 9)
        assert asked_of_both["entered"] == told["entered"]
        for lang, word in (("zh", "主要原因"), ("en", "cause")):
            text = call(home, "shortlist", "diff", *ids, "--lang", lang)
            assert text.status == 0, text
            assert word in text.out
            assert told["entered"][0]["firm_id"] in text.out
            assert all(told[side]["snapshot_id"] in text.err for side in ("before", "after"))
        first = home / "snapshots" / city.snapshot(0, 0, 0).id
        first.rename(home / "aside")
        gone = refused(home, "shortlist", "diff", *ids)
        (home / "aside").rename(first)
    assert first.name in gone["message"]
    assert "backup" in gone["cure"]


def test_editions_in_force_on_a_day_are_in_force_on_every_day() -> None:
    law = standing()
    frozen = in_force_on(law, date(2026, 4, 20))
    assert (
        law.select("little_giant", date(2025, 6, 30)).id
        != frozen.select("little_giant", date(2025, 6, 30)).id
    )
    assert law.select("little_giant", date(2026, 4, 20)) == frozen.select(
        "little_giant", date(1990, 1, 1)
    )
    batch = frozen.batch("little_giant", date(2025, 6, 30))
    assert batch.data_year == 2024


# ---- what cannot be compared


def test_a_bundle_that_is_gone_is_said_and_nothing_is_guessed(city: Home) -> None:
    sides = [Side(city.snapshot(k, k, 0), asked()) for k in (0, 1)]
    casework = Casework(city.workspace.vault.at, gone)
    found = compared(sides[0], sides[1], LOCAL, casework, city.plan)
    assert found["missing"]
    assert "gone" in found["missing"]
    assert found["summary"]["totals"] is found["summary"]["causes"] is None
    assert found["entered"]
    assert all(m["parts"] is None and "未能归因" in m["text_zh"] for m in found["entered"])


def gone(identity: str) -> Bundle:
    raise NotFound(f"Bundle {identity} is gone.", "Restore it.")


def test_two_tasks_do_not_compare_and_a_saved_list_must_be_the_choice(city: Home) -> None:
    snapshot = city.snapshot(0, 0, 0)
    with pytest.raises(UsageError, match="of one task"):
        city.compare(Side(snapshot, asked()), Side(snapshot, Question("growth@12", 5)))
    saved = Side(snapshot, asked(), "abc", ("nobody",))
    with pytest.raises(Refused, match="List abc must be what its question chooses"):
        city.compare(saved, Side(snapshot, asked(k=5)))
    kept = replace(saved, firms=tuple(firms(snapshot, asked())))
    found = city.compare(kept, kept)
    assert (found["factors"], found["entered"], found["left"]) == ([], [], [])
    assert all(m["cause"] is None and m["before"] == m["after"] for m in found["stayed"])


def test_a_filter_of_one_list_may_match_nobody_of_the_other(city: Home) -> None:
    snapshot = city.snapshot(0, 0, 0)
    nowhere = asked(districts=("无此区",))
    found = city.compare(Side(snapshot, nowhere), Side(snapshot, asked()))
    alone(found, "quota")
    assert {m["why"]["code"] for m in found["entered"]} == {"not_asked"}
