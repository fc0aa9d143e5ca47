"""Targets, measures, law and scenarios over HTTP: what the command line says, by the snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from http_client import Client
from sample_publication import publication
from small_city import AS_OF, Trained, copied, done

from policy.logic import NAMES
from serving.access import LOCAL
from serving.app import Config, create_app
from serving.casework import Casework
from serving.desk import Desk
from serving.lookups import Served
from serving.lookups_plan import STATUSES, measures, targets, visible
from serving.snapshot import Snapshot, write
from serving.workspace import Workspace
from tidu.errors import NotAvailable, Refused

SCENARIO: dict[str, Any] = {
    "name": "s",
    "parameters": {"municipal_score_line": 40, "reward_city_share_pct": 60},
    "thresholds": {"srdi_municipal": {"rd:rd_expense": 50}},
    "quotas": {"srdi_municipal": 20},
    "goals": {"G2": 2600},
    "rewards": {"A8": 60},
}


def desk_of(home: Path) -> Desk:
    return Desk(home, Casework.of(Workspace(home)))


@pytest.fixture
def city(city_home: Trained) -> Iterator[Client]:
    yield from served(city_home.home)


def served(home: Path) -> Iterator[Client]:
    app = create_app(Config(home, desk=desk_of(home)))
    app.state.follower.look()
    yield Client(app)
    app.state.follower.close()
    app.state.pool.close()
    app.state.desk.close()


def got(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_targets_are_those_of_the_command_line(city: Client, city_home: Trained) -> None:
    ours = got(city, "/v1/targets")
    theirs = done(city_home.home, "targets", "--as-of", AS_OF)
    assert ours["items"] == theirs["targets"]
    assert ours["plan"] == theirs["plan"] == "2025"
    assert ours["policy_edition"] == theirs["policy_digest"]
    one = got(city, "/v1/targets?row=G4")["items"]
    assert one == [item for item in ours["items"] if item["row"] == "G4"]
    assert city.get("/v1/targets?row=X1").json()["code"] == "not_found"


@pytest.mark.parametrize("tier", ["", "little_giant"])
def test_measures_are_those_of_the_command_line(
    city: Client, city_home: Trained, tier: str
) -> None:
    firms = [item["firm_id"] for item in got(city, "/v1/firms?limit=500")["items"]][::60]
    seen = 0
    for firm in firms:
        more = ("--tier", tier) if tier else ()
        theirs = done(city_home.home, "measures", firm, "--as-of", AS_OF, *more)["measures"]
        ours = got(city, f"/v1/firms/{firm}/measures?tier={tier}")
        assert ours["items"] == theirs
        seen += len(theirs)
    assert seen > len(firms)
    assert city.get(f"/v1/firms/{firms[0]}/measures?tier=speed").json()["code"] == "usage"
    assert city.get("/v1/firms/nobody/measures").status_code == 404


def test_the_law_and_its_changes_are_those_of_the_command_line(
    city: Client, city_home: Trained
) -> None:
    page = got(city, "/v1/policy")
    theirs = done(city_home.home, "policy", "list")["editions"]
    kept = [{k: use[k] for k in theirs[0]} for use in page["editions"]]
    assert kept == theirs
    assert page["parameters"] == done(city_home.home, "policy", "parameters")["parameters"]
    now = {(u["tier"], u["purpose"]): u["edition"] for u in page["editions"] if u["in_force"]}
    assert now["little_giant", "new"] == "2-2026/annex2"
    own = {u["edition"] for u in page["editions"] if u["thresholds"]}
    assert all(edition.startswith("city/") for edition in own)
    pair = ("63-2022/annex3", "2-2026/annex2")
    changes = done(city_home.home, "policy", "diff", *pair, "--as-of", AS_OF)
    ours = got(city, f"/v1/policy/diff?a={pair[0]}&b={pair[1]}")
    assert {k: ours[k] for k in ("a", "b", "clauses", "firms")} == {
        k: changes[k] for k in ("a", "b", "clauses", "firms")
    }
    assert city.get("/v1/policy/diff?a=x&b=y").json()["code"] == "not_found"


def test_a_scenario_is_that_of_the_command_line(
    city: Client, city_home: Trained, tmp_path: Path
) -> None:
    own = {k: v for k, v in SCENARIO.items() if isinstance(v, dict)}
    own["thresholds.srdi_municipal"] = own.pop("thresholds")["srdi_municipal"]
    lines = ['name = "s"']
    for section, table in own.items():
        lines += [f"[{section}]", *(f'"{k}" = {v}' for k, v in table.items())]
    file = tmp_path / "s.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    theirs = done(city_home.home, "policy", "simulate", file, "--as-of", AS_OF)["scenarios"][0]
    answer = city.ask("POST", "/v1/policy/simulate", json=SCENARIO)
    assert answer.status_code == 200, answer.text
    ours = answer.json()
    for part in ("tiers", "budget", "rewards", "targets", "notes"):
        assert ours[part] == theirs[part], part
    assert ours["tiers"][0]["enters"] + ours["tiers"][0]["leaves"] > 0
    assert answer.headers["cache-control"] == "no-store"


def test_all_problems_of_a_scenario_come_at_once(city: Client) -> None:
    wrong = {"name": "s", "goals": {"X9": 1}, "quotas": {"nonsense": 1}}
    answer = city.ask("POST", "/v1/policy/simulate", json=wrong)
    assert answer.status_code == 422
    keys = {issue["column"] for issue in answer.json()["issues"]}
    assert keys == {"goals.X9", "quotas.nonsense"}
    empty = city.ask("POST", "/v1/policy/simulate", json={"name": "s"})
    assert empty.status_code == 422
    other = city.ask("POST", "/v1/policy/simulate", json={"name": "s", "speed": 1})
    assert other.json()["code"] == "invalid_request"


def test_the_law_of_the_snapshot_answers_though_the_city_has_changed_its_own(
    city_home: Trained, tmp_path: Path
) -> None:
    home = copied(city_home.home, tmp_path / "home")
    file = home / "policy" / "city.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("[parameters]\nmunicipal_score_line = 99\n", encoding="utf-8")
    for client in served(home):
        before = city_of(city_home).ask("POST", "/v1/policy/simulate", json=SCENARIO).json()
        after = client.ask("POST", "/v1/policy/simulate", json=SCENARIO).json()
        assert after["tiers"] == before["tiers"]
        lines = {p["id"]: p["value"] for p in got(client, "/v1/policy")["parameters"]}
        assert lines["municipal_score_line"] == 50


def city_of(city_home: Trained) -> Client:
    app = create_app(Config(city_home.home, desk=desk_of(city_home.home)))
    app.state.follower.look()
    return Client(app)


def test_without_a_desk_scenarios_are_off_and_lookups_go_on(city_home: Trained) -> None:
    app = create_app(Config(city_home.home))
    app.state.follower.look()
    client = Client(app)
    assert client.ask("POST", "/v1/policy/simulate", json=SCENARIO).status_code == 503
    assert client.get("/v1/targets").status_code == 200


# ----------------------------------------------------------------------------------- the parts


def opened(home: Path, identity: str) -> Snapshot:
    return Snapshot.open(home / "snapshots" / identity)


def test_what_is_read_is_what_was_published_however_firms_were_ordered(tmp_path: Path) -> None:
    given = publication(30)
    assert given.planned is not None
    found = opened(tmp_path, write(given, tmp_path))
    assert found.plan is not None
    assert found.fits is not None
    for name, page in given.planned.pages.items():
        assert found.plan.page(name) == page
    ids = given.firms["firm_id"].tolist()
    for number, firm_id in enumerate(found.firms.ids):
        row = ids.index(firm_id)
        assert found.fits.status[number].tolist() == given.planned.fits.status[row].tolist()
        assert found.fits.rung[number] == given.planned.fits.rung[row]
    assert not found.fits.status.flags.owndata


def test_a_snapshot_without_a_plan_says_so(tmp_path: Path) -> None:
    given = replace(publication(12), planned=None)
    served_one = Served(opened(tmp_path, write(given, tmp_path)))
    for ask in (
        lambda: targets(served_one, LOCAL, ""),
        lambda: measures(served_one, LOCAL, "F000001", ""),
    ):
        with pytest.raises(NotAvailable, match="publish again"):
            ask()


def test_a_plan_run_on_other_firms_is_refused() -> None:
    with pytest.raises(Refused, match="same panel"):
        replace(publication(12), planned=publication(13).planned)


def test_a_viewer_of_one_district_sees_its_lines_and_firms_only(tmp_path: Path) -> None:
    served_one = Served(opened(tmp_path, write(publication(60), tmp_path)))
    few = replace(LOCAL, districts=frozenset({"区2"}))
    for item in targets(served_one, few, "")["items"]:
        assert {line["district"] for line in item["districts"]} <= {"区2"}
    assert visible(served_one, few, ["F000002", "F000003", "nobody"]) == ["F000002"]
    assert visible(served_one, LOCAL, ["F000003"]) == ["F000003"]


def test_the_names_of_statuses_are_those_of_the_law() -> None:
    assert NAMES[: len(STATUSES)] == STATUSES
