"""Papers, letters and paths of one firm: what it gets among all, by the snapshot, told alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from plan_panels import panel_of
from small_city import AS_OF, Trained, call, copied, done, quick, refused

from model.bundle import load
from model.scoring import score
from policy.papers.dossier import dossier
from policy.path.changes import Text
from policy.path.finding import paths
from policy.path.result import Path as Answer
from policy.situation import Situation
from serving.access import LOCAL
from serving.app import Config, create_app
from serving.casework import MODEL_NOTE, NO_MODEL, OUTSIDE, Asked, Casework
from serving.lookups import Served, firm
from serving.lookups_law import criteria
from serving.rescoring import Rescorer, with_figures
from serving.workspace import Workspace
from tidu.errors import Refused

TASK = "promotion:innovative_sme@12"
TIERS = ("innovative_sme", "srdi_municipal", "little_giant")


@pytest.fixture(scope="module")
def home(city_home: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = copied(city_home.home, tmp_path_factory.mktemp("casework"))
    with quick():
        done(place, "train", "--task", TASK, "--as-of", AS_OF)
        done(place, "publish", "--as-of", AS_OF)
    return place


@pytest.fixture(scope="module")
def situation(home: Path) -> Situation:
    return Workspace(home).situation(date.fromisoformat(AS_OF))


@pytest.fixture(scope="module")
def cases(home: Path) -> Casework:
    return Casework.of(Workspace(home))


@pytest.fixture(scope="module")
def served(home: Path) -> Served:
    return Served(Workspace(home).snapshot())


def alone(situation: Situation, firm_id: str) -> Situation:
    return Situation(situation.law, situation.panel.of([firm_id]))


def some(situation: Situation, step: int = 60) -> list[str]:
    return [str(firm_id) for firm_id in situation.panel.firm_ids[::step]]


# ---- one firm alone is one firm among all


def test_a_panel_of_one_firm_shows_what_the_city_shows_of_it(situation: Situation) -> None:
    panel = situation.panel
    for firm_id in some(situation):
        own = panel.of([firm_id])
        assert own.firm_ids.tolist() == [firm_id]
        for name, frame in panel.tables.items():
            if "firm_id" in frame:
                mine = frame[(frame["firm_id"] == firm_id).to_numpy(dtype=bool)]
                assert own.tables[name].equals(mine.reset_index(drop=True)), name
            else:
                assert own.tables[name] is frame
    several = panel.of(some(situation)[:3][::-1])
    assert several.firm_ids.tolist() == some(situation)[:3]
    assert len(panel.of(["nobody"]).firm_ids) == 0


@pytest.mark.parametrize("tier", TIERS)
def test_a_firm_alone_is_judged_as_it_was_published(
    situation: Situation, served: Served, tier: str
) -> None:
    for firm_id in some(situation):
        stored = criteria(served, LOCAL, firm_id, (tier, "new"))
        verdict = alone(situation, firm_id).verdict(tier)
        found = [c["status"] for c in stored["criteria"]]
        assert found == [["unmet", "unknown", "manual", "met", "not_applicable"][c]
                         for c in verdict.criteria[0]]  # fmt: skip


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("purpose", ["new", "review"])
def test_papers_are_those_of_the_whole_citys_dossier(
    situation: Situation, served: Served, cases: Casework, tier: str, purpose: Any
) -> None:
    whole = dossier(situation, tier, purpose)
    for firm_id in some(situation, 150):
        found = cases.materials(served.snapshot, Asked(firm_id, tier, purpose))
        row = situation.number(firm_id)
        assert found["papers"] == whole.papers_of(row)
        assert found["open_points"] == whole.open_points(row)
        assert found["edition"] == whole.edition.id


@pytest.mark.parametrize("tier", ["innovative_sme", "srdi_municipal"])
def test_paths_are_those_of_the_whole_city(
    situation: Situation, served: Served, cases: Casework, tier: str
) -> None:
    prepared, seen = paths(situation, tier), set()
    for firm_id in some(situation, 50):
        whole = prepared.of(situation.number(firm_id)).as_json()
        found = cases.path(served.snapshot, Asked(firm_id, tier))["path"]
        kept = found.keys() & whole.keys() - {"other"}
        assert {k: found[k] for k in kept} == {k: whole[k] for k in kept}
        assert (found["other"] is None) == (whole["other"] is None)
        assert found["document"]
        seen.add(found["status"])
    assert len(seen) > 1


# ---- the model's answer


def test_before_is_the_published_chance(
    situation: Situation, served: Served, cases: Casework
) -> None:
    told = 0
    for firm_id in some(situation, 20):
        found = cases.path(served.snapshot, Asked(firm_id, "innovative_sme"))
        model, page = found["model"], firm(served, LOCAL, firm_id)
        standing = {s["task"]: s for s in page["scores"]}[TASK]
        assert model["model_version"] == standing["model_version"]
        if standing["rank"] is None:
            assert (model["before"], model["after"], model["note"]) == (None, None, OUTSIDE)
            continue
        told += 1
        for name in ("score", "probability", "p_low", "p_high"):
            assert model["before"][name] == pytest.approx(standing[name], abs=1e-12)
        assert model["note"] == MODEL_NOTE
        assert "非因果" in model["note"]["zh"]
        if not found["path"]["changes"]:
            assert model["after"] == model["before"]
    assert told > 3


def test_after_is_what_the_model_says_of_a_city_with_these_figures(
    situation: Situation, home: Path
) -> None:
    """The whole city is scored by hand, each firm's newest row holding the last figures."""
    workspace, panel, moved = Workspace(home), situation.panel, 0
    bundle = load(workspace.bundle_path(str(workspace.bundle_in_use(TASK))))
    rescorer, cohort = Rescorer(bundle, panel), score(bundle, panel).firm_ids
    last = {"revenue": 9000.0, "rd_expense": 900.0, "employees": 90.0, "net_profit": 800.0}
    path = Answer("", "innovative_sme", "x", "reachable", 2028, Text("无", "none"),
                  figures={2026: {"revenue": 1.0}, 2027: last})  # fmt: skip
    for firm_id in cohort[:: len(cohort) // 4]:
        annual = panel.tables["annual"].copy()
        mine = annual["firm_id"] == firm_id
        newest = mine & (annual["year"] == annual.loc[mine, "year"].max())
        annual.loc[newest, list(last)] = list(last.values())
        city = score(bundle, replace(panel, tables={**panel.tables, "annual": annual}))
        row = list(city.firm_ids).index(firm_id)
        answers = rescorer.answers(replace(path, firm_id=str(firm_id)))
        assert answers is not None
        assert answers[1].score == pytest.approx(city.score[row], abs=1e-12)
        assert answers[1].probability == pytest.approx(city.probability[row], abs=1e-12)
        moved += answers[0] != answers[1]
    assert moved


def test_without_a_model_the_path_stands_alone(
    cases: Casework, served: Served, situation: Situation
) -> None:
    assert "promotion:srdi_municipal@12" not in served.snapshot.tasks
    found = cases.path(served.snapshot, Asked(some(situation)[0], "srdi_municipal"))
    assert found["model"]["note"] == NO_MODEL
    assert found["model"]["before"] is None


def test_the_snapshots_bundle_answers_a_path_whatever_is_in_use(
    home: Path, situation: Situation, tmp_path: Path
) -> None:
    place = copied(home, tmp_path / "home")
    asked = (some(situation)[0], "innovative_sme")
    before = done(place, "path", *asked)
    with quick():
        other = done(place, "train", "--task", TASK, "--as-of", AS_OF, "--seed", 9)
    done(place, "use", TASK, other["bundle_id"])
    assert Workspace(place).bundle_in_use(TASK) == other["bundle_id"]
    assert other["bundle_id"] != before["model"]["model_version"]
    assert done(place, "path", *asked) == before


def test_figures_of_a_path_go_to_the_newest_year_and_nowhere_else() -> None:
    rows = [
        {
            "firm_id": "F",
            "year": 2025,
            "revenue": 100.0,
            "employees": 5.0,
            "st_award_level": "muni",
        },
        {"firm_id": "F", "year": 2024, "revenue": 90.0, "employees": 4.0},
    ]
    panel = panel_of(date(2026, 6, 30), {"annual": rows})
    column = panel.column("st_award_level")
    level = list(column.codes).index("prov")
    changed = with_figures(panel, {"revenue": 150.0, "st_award_level": float(level)})
    table = changed.tables["annual"].set_index("year")
    assert table["revenue"].to_dict() == {2025: 150.0, 2024: 90.0}
    assert table.loc[2025, "st_award_level"] == "prov"
    assert table.loc[2025, "employees"] == 5.0
    assert panel.tables["annual"].set_index("year")["revenue"].to_dict() == {2025: 100, 2024: 90}
    assert with_figures(panel, {"no_column": 1.0}).tables["annual"].equals(panel.tables["annual"])


def test_a_path_without_figures_leaves_the_score(home: Path, situation: Situation) -> None:
    workspace = Workspace(home)
    bundle = load(workspace.bundle_path(str(workspace.bundle_in_use(TASK))))
    rescorer, seen = Rescorer(bundle, situation.panel), 0
    for firm_id in some(situation, 10):
        path = Answer(firm_id, "innovative_sme", "x", "met", 2026, Text("无", "none"))
        before, after = rescorer(path)
        assert before == after or np.isnan([before, after]).all()
        seen += not np.isnan(before)
    assert seen


# ---- by the snapshot, told alike


def asked_over_http(home: Path, address: str) -> Any:
    app = create_app(Config(home, casework=Casework.of(Workspace(home))))
    app.state.follower.look()

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://tidu") as client:
            return await client.get(address)

    answer = asyncio.run(send())
    app.state.follower.close()
    app.state.pool.close()
    app.state.cases.close()
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("command", ["materials", "path"])
def test_command_line_and_http_say_the_same(home: Path, situation: Situation, command: str) -> None:
    firm_id = some(situation)[2]
    told = done(home, command, firm_id, "srdi_municipal")
    assert (
        asked_over_http(home, f"/v1/firms/{firm_id}/{command}/srdi_municipal")
        | {"model_version": told["model_version"]}
        == told
    )
    for lang in ("zh", "en"):
        words = call(home, command, firm_id, "srdi_municipal", "--lang", lang)
        assert (words.status, words.err) == (0, "")
        assert firm_id in words.out
        assert told["document"] in words.out


def test_the_letter_is_written_and_names_its_snapshot(
    home: Path, situation: Situation, tmp_path: Path, served: Served
) -> None:
    firm_id, file = some(situation)[1], tmp_path / "letter.html"
    answer = call(home, "materials", firm_id, "little_giant", "--letter", file, "--lang", "en")
    assert answer.status == 0
    page = file.read_text(encoding="utf-8")
    assert served.snapshot.id in page
    assert 'lang="en"' in page
    assert "Wrote" in answer.err
    for words in (("nobody", "little_giant"), (firm_id, "giant")):
        assert refused(home, "materials", *words)["code"] == "not_found"
        assert refused(home, "path", *words)["code"] == "not_found"


def test_the_snapshots_law_and_records_decide_whatever_came_since(
    home: Path, situation: Situation, tmp_path: Path
) -> None:
    place = copied(home, tmp_path / "home")
    firm_id = some(situation)[4]
    before = [done(place, word, firm_id, "srdi_municipal") for word in ("materials", "path")]
    (place / "policy").mkdir(exist_ok=True)
    setting = "[parameters]\nmunicipal_score_line = 99\n"
    (place / "policy" / "city.toml").write_text(setting, encoding="utf-8")
    first = done(place, "doctor")["imports"][1]["import_id"]
    done(place, "withdraw", first)
    after = [done(place, word, firm_id, "srdi_municipal") for word in ("materials", "path")]
    assert after == before


def test_a_law_of_another_version_is_refused_while_its_verdicts_stand(served: Served) -> None:
    snapshot = served.snapshot
    cases = Casework.of(Workspace(snapshot.path.parents[1]))
    asked, unread = Asked(snapshot.firms.ids[0], "little_giant"), dict(snapshot.law)
    del unread["papers.toml"]
    changed = dict(snapshot.law) | {"selector.toml": b"use = 3"}
    for files in (unread, changed):
        with pytest.raises(Refused, match="readable by this version") as caught:
            cases.materials(replace(snapshot, law=files), asked)
        assert "publish again" in caught.value.cure
    assert criteria(served, LOCAL, asked.firm_id, ("little_giant", "new"))["criteria"]
