"""The service over HTTP: answers of one snapshot, problems with a cure, a pointer followed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sample_publication import TASKS, casework, publication

from policy.loading import standing
from serving import access, problems, wire
from serving.app import Config, create_app, routes_of
from serving.desk import Desk
from serving.idempotent import once
from serving.keys import Answer
from serving.planning import difference
from serving.snapshot import Snapshot, write
from serving.store import Store
from tidu import errors
from tidu.errors import DataError, Issue, Refused, TiduError, Unready, UsageError

GROWTH = "growth@36"
BANKRUPTCY = "distress:bankruptcy@24"


def publish(home: Path, seed: int = 0, count: int = 60) -> str:
    identity = write(publication(count, seed=seed), home)
    point_at(home, identity)
    return identity


def point_at(home: Path, identity: str) -> None:
    with Store.of_home(home) as store:
        old = store.pointer("snapshot")
        store.move_pointer("snapshot", identity, old.revision if old else None)


def scored(task: str, records: Any) -> dict[str, Any]:
    if "firms" not in records:
        issue = Issue("error", "table", "firms must be there", "Send the table firms")
        raise DataError("The records break the contract, found 1 problem.", [issue], "Mend it.")
    items = [{"firm_id": row["firm_id"], "task": task} for row in records["firms"]]
    return {"model_version": "bundle", "items": items}


class Recorded(Desk):
    """Answers as a desk does, without a city."""

    def difference(self, snapshot: Snapshot, pair: tuple[str, str]) -> dict[str, Any]:
        del snapshot
        return difference(standing(), pair, None) | {
            "firms": {
                "from_to": {"met→unmet": 2},
                "only_a": ["F000007", "F000008"],
                "only_b": [],
                "by": [],
            }
        }

    def simulate(self, snapshot: Snapshot, raw: Any) -> dict[str, Any]:
        del snapshot
        side = {"edition": "e", "document": "d", "quota": None, "met": 1, "met_pending": 0,
                "admitted": 1, "new": 1, "tied": 0}  # fmt: skip
        moved = {"enters": 2, "leaves": 0, "net": 2}
        tier = {"tier": "srdi_municipal", "before": side, "after": side, **moved,
                "by": [{"by": "size", "label": "", **moved}],
                "entering": ["F000007", "F000008"], "leaving": []}  # fmt: skip
        empty: dict[str, Any] = {"budget": [], "rewards": [], "targets": [], "notes": []}
        return {"plan": "2025", "scenario": raw, "tiers": [tier], **empty}


class Client:
    """Asks an app without a server, each request in an event loop of its own."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with client_of(self.app) as client:
                return await client.request(method, url, **more)

        return asyncio.run(send())

    def get(self, url: str, **more: Any) -> httpx.Response:
        return self.ask("GET", url, **more)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tidu") as client:
        yield client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    publish(tmp_path)
    cases = casework()
    desk = Recorded(tmp_path, cases)
    app = create_app(Config(tmp_path, scorer=scored, casework=cases, desk=desk))
    app.state.follower.look()
    yield Client(app)
    app.state.follower.close()
    app.state.pool.close()
    app.state.cases.close()
    app.state.desk.close()


# One request a route that answers in JSON: (route, address, body).
REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("GET /v1/firms", "/v1/firms?q=works&district=区1&limit=3", None),
    ("GET /v1/firms/{firm_id}", "/v1/firms/F000007", None),
    ("GET /v1/rankings/{task}", f"/v1/rankings/{GROWTH}?limit=5", None),
    (
        "GET /v1/firms/{firm_id}/explanations/{task}",
        f"/v1/firms/F000007/explanations/{GROWTH}",
        None,
    ),
    (
        "GET /v1/firms/{firm_id}/criteria/{tier}",
        "/v1/firms/F000007/criteria/innovative_sme?purpose=review",
        None,
    ),
    ("GET /v1/firms/{firm_id}/measures", "/v1/firms/F000007/measures?tier=little_giant", None),
    ("GET /v1/targets", "/v1/targets", None),
    ("GET /v1/policy", "/v1/policy", None),
    ("GET /v1/policy/diff", "/v1/policy/diff?a=63-2022/annex3&b=2-2026/annex2", None),
    (
        "POST /v1/policy/simulate",
        "/v1/policy/simulate",
        {"name": "s", "parameters": {"municipal_score_line": 45}},
    ),
    (
        "GET /v1/firms/{firm_id}/materials/{tier}",
        "/v1/firms/F000007/materials/srdi_municipal",
        None,
    ),
    ("GET /v1/firms/{firm_id}/path/{tier}", "/v1/firms/F000007/path/innovative_sme", None),
    ("GET /v1/compare", f"/v1/compare?a=F000007&b=F000008&task={GROWTH}", None),
    ("GET /v1/snapshots", "/v1/snapshots", None),
    ("GET /v1/snapshots/current", "/v1/snapshots/current", None),
    ("GET /v1/models", "/v1/models", None),
    (
        "POST /v1/score",
        "/v1/score",
        {"task": GROWTH, "records": {"firms": [{"firm_id": "new"}]}},
    ),
    ("GET /healthz", "/healthz", None),
    ("GET /readyz", "/readyz", None),
)


@pytest.mark.parametrize(("route", "address", "body"), REQUESTS, ids=[r[0] for r in REQUESTS])
def test_every_answer_has_the_fields_of_its_row_and_fits_its_model(
    client: Client, route: str, address: str, body: Any
) -> None:
    method = route.split(" ", 1)[0]
    answer = client.ask(method, address, json=body)
    assert answer.status_code == 200, answer.text
    row = next(row for row in access.ROUTES if row.route == route)
    assert set(answer.json()) == set(row.fields)
    wire.ANSWERS[route].model_validate_json(answer.content)
    if "snapshot_id" in row.fields:
        assert answer.json()["snapshot_id"]
        assert answer.json()["as_of"] == "2024-06-30"
        assert answer.json()["policy_edition"] == standing().digest


def test_routes_rows_models_and_requests_are_the_same_set(client: Client) -> None:
    assert {r[0] for r in REQUESTS} == set(wire.ANSWERS)
    for row in access.ROUTES:
        if row.route in wire.ANSWERS:
            assert set(row.fields) == set(wire.ANSWERS[row.route].model_fields), row.route
    assert routes_of(client.app) == {row.route for row in access.ROUTES}


def test_a_route_without_a_row_fails_start_up() -> None:
    with pytest.raises(Refused, match="route GET /v1/secret has no row"):
        access.bound({*(row.route for row in access.ROUTES), "GET /v1/secret"})
    with pytest.raises(Refused, match="row GET /docs has no route"):
        access.bound(row.route for row in access.ROUTES if row.route != "GET /docs")


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_addressed_encoded_or_not(client: Client, task: str) -> None:
    plain = client.get(f"/v1/rankings/{task}?limit=1")
    encoded = client.get(f"/v1/rankings/{quote(task, safe='')}?limit=1")
    assert plain.status_code == encoded.status_code == 200
    assert plain.json() == encoded.json()
    assert plain.json()["task"] == task


@pytest.mark.parametrize("limit", [1, 7, 50, 500])
def test_pages_hold_every_firm_once_in_order(client: Client, limit: int) -> None:
    ranks, firms = [], []
    for path, into, key in (
        (f"/v1/rankings/{BANKRUPTCY}", ranks, "rank"),
        ("/v1/firms", firms, "firm_id"),
    ):
        cursor: str | None = ""
        while cursor is not None:
            page = client.get(
                path, params={"limit": limit} | ({"cursor": cursor} if cursor else {})
            )
            into += [item[key] for item in page.json()["items"]]
            cursor = page.json()["next_cursor"]
        assert len(into) == page.json()["total"]
    assert ranks == list(range(1, 51))
    assert firms == [f"F{i:06d}" for i in range(60)]


def test_filters_narrow_a_list_and_leave_ranks_alone(client: Client) -> None:
    whole = client.get(f"/v1/rankings/{GROWTH}?limit=500").json()["items"]
    part = client.get(f"/v1/rankings/{GROWTH}?district=区3&tier=srdi_provincial").json()["items"]
    assert part == [i for i in whole if i["district"] == "区3" and i["tier"] == "srdi_provincial"]
    assert part
    codes = client.get("/v1/firms?industry=C3&limit=500").json()
    assert codes["total"] == 60
    assert client.get("/v1/firms?industry=C31").json()["total"] == 7
    assert client.get("/v1/firms?q=WORKS&limit=1").json()["total"] == 60
    assert client.get("/v1/firms?q=企业59").json()["items"][0]["firm_id"] == "F000059"
    assert client.get("/v1/firms?district=nowhere").json()["items"] == []


def test_reasons_sum_to_the_score_and_to_the_chance(client: Client) -> None:
    for number in (1, 7, 59):
        body = client.get(f"/v1/firms/F{number:06d}/explanations/{GROWTH}").json()
        named = [*body["positive"], *body["negative"], body["rest"]]
        for parts in (named, body["dimensions"]):
            assert sum(p["contribution"] for p in parts) == pytest.approx(
                body["score"] - body["base"], abs=1e-6
            )
            assert sum(p["points"] for p in parts) == pytest.approx(
                100 * (body["probability"] - body["base_probability"]), abs=1e-6
            )
        assert len(body["positive"]) <= 4
        assert len(body["negative"]) <= 4
        assert all(r["contribution"] > 0 for r in body["positive"])
        assert all(r["contribution"] < 0 for r in body["negative"])
        assert all(r["text_zh"] and r["text_en"] for r in body["positive"] + body["negative"])


def test_a_comparison_is_exact_and_turns_with_its_sides(client: Client) -> None:
    ab = client.get(f"/v1/compare?a=F000001&b=F000002&task={BANKRUPTCY}").json()
    ba = client.get(f"/v1/compare?a=F000002&b=F000001&task={BANKRUPTCY}").json()
    named = [*ab["positive"], *ab["negative"], ab["rest"]]
    difference = ab["a"]["score"] - ab["b"]["score"]
    assert abs(sum(p["contribution"] for p in named) - difference) <= 1e-9
    assert abs(ab["residual"]) <= 1e-9
    assert ab["score_difference"] == -ba["score_difference"]
    assert [r["feature"] for r in ab["positive"]] == [r["feature"] for r in ba["negative"]]


def test_an_unchanged_answer_is_not_sent_again(client: Client) -> None:
    first = client.get("/v1/firms/F000001")
    tag = first.headers["etag"]
    again = client.get("/v1/firms/F000001", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/v1/models").headers["cache-control"] == "no-store"


# ---- problems


def tree(kind: type[TiduError]) -> Iterator[type[TiduError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


def test_every_error_of_the_tree_has_a_status_and_titles() -> None:
    ours = {k for k in tree(TiduError) if k.__module__.split(".")[0] in ("tidu", "serving")}
    assert ours == set(problems.STATUS)
    for kind in tree(TiduError):
        assert kind.code in problems.TITLES, kind
        made = kind("Something must hold, found another.")
        answer = problems.of_error(made)
        assert answer.status_code == problems.status_of(made)
        assert json.loads(answer.body)["code"] == kind.code
    assert len({k.code for k in ours}) == len(ours)
    assert {k.__name__ for k in ours} >= set(errors.__all__) - {"Issue"}


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no_route"),
        ("GET", "/v1", 404, "no_route"),
        ("DELETE", "/v1/firms", 405, "method_not_allowed"),
        ("GET", "/v1/score", 405, "method_not_allowed"),
        ("GET", "/v1/firms/nobody", 404, "not_found"),
        ("GET", "/v1/firms/nobody/explanations/growth@36", 404, "not_found"),
        ("GET", "/v1/rankings/growth", 404, "not_found"),
        ("GET", "/v1/firms/F000000/explanations/growth@36", 422, "not_available"),
        ("GET", "/v1/firms/nobody/criteria/little_giant", 404, "not_found"),
        ("GET", "/v1/firms/F000000/criteria/giant", 404, "not_found"),
        ("GET", "/v1/firms/nobody/materials/little_giant", 404, "not_found"),
        ("GET", "/v1/firms/F000000/materials/giant/letter", 404, "not_found"),
        ("GET", "/v1/firms/F000000/materials/gazelle/letter?lang=fr", 422, "invalid_request"),
        ("GET", "/v1/firms/F000000/path/giant", 404, "not_found"),
        ("GET", "/v1/firms/F000000/criteria/little_giant?purpose=old", 422, "invalid_request"),
        ("GET", "/v1/firms?limit=0", 422, "invalid_request"),
        ("GET", "/v1/firms?colour=red", 422, "invalid_request"),
        ("GET", "/v1/compare?a=F000001", 422, "invalid_request"),
        ("GET", "/v1/compare?a=F000001&b=F000001&task=growth@36", 400, "usage"),
        ("GET", "/v1/firms?cursor=rubbish", 400, "usage"),
        ("GET", "/v1/firms?cursor=%E4%BC%81", 400, "usage"),
        ("GET", "/docs/../etc", 404, "no_route"),
        ("GET", "/docs/app.py", 404, "not_found"),
    ],
)
def test_every_failure_is_a_problem_with_a_code(
    client: Client, method: str, address: str, status: int, code: str
) -> None:
    answer = client.ask(method, address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    body = answer.json()
    wire.Problem.model_validate(body)
    assert (body["code"], body["status"]) == (code, status)
    assert body["title_zh"]
    assert body["cure"]


def test_near_names_are_offered(client: Client) -> None:
    assert "F000012" in client.get("/v1/firms/F0000121").json()["alternatives"]
    assert client.get("/v1/firms/企业12 Works").json()["alternatives"] == ["F000012"]
    assert client.get("/v1/rankings/grwth@36").json()["alternatives"] == [GROWTH]
    giant = client.get("/v1/firms/F000000/criteria/giant").json()
    assert "little_giant" in giant["alternatives"]
    assert client.get("/v1/rankings/distress@24").json()["alternatives"] == [BANKRUPTCY]


def test_all_problems_of_a_request_come_at_once(client: Client) -> None:
    issues = client.get("/v1/firms?limit=none&x=1&y=2").json()["issues"]
    assert {i["place"] for i in issues} == {"query.limit", "query.x", "query.y"}
    posted = client.ask("POST", "/v1/score", json={"records": {"firms": 3}, "more": 1})
    places = {i["place"] for i in posted.json()["issues"]}
    assert places == {"body.task", "body.records.firms", "body.more"}
    refused = client.ask("POST", "/v1/score", json={"task": GROWTH, "records": {}})
    assert refused.status_code == 422
    assert refused.json()["issues"][0]["rule"] == "table"


def test_a_body_is_limited_whatever_it_claims(tmp_path: Path) -> None:
    publish(tmp_path)
    app = create_app(Config(tmp_path, body_bytes=100))

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 50

    for content in (b"[" * 101, drip()):
        headers = {"content-type": "application/json"}
        answer = Client(app).ask("POST", "/v1/score", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_broken_json_is_named(client: Client) -> None:
    headers = {"content-type": "application/json"}
    answer = client.ask("POST", "/v1/score", content=b'{"task": ', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


def test_an_error_of_ours_tells_nothing_of_the_inside(client: Client) -> None:
    def broken(_: str, __: Any) -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    client.app.state.pool._scorer = broken
    answer = client.ask("POST", "/v1/score", json={"task": GROWTH, "records": {}})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text


def test_the_letter_is_a_page_that_needs_nothing_else(client: Client) -> None:
    address = "/v1/firms/F000007/materials/srdi_municipal/letter"
    page = client.get(address)
    assert page.status_code == 200, page.text
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get("/readyz").json()["snapshot_id"] in page.text
    assert "企业7 Works" in page.text
    assert "<script" not in page.text
    english = client.get(f"{address}?lang=en").text
    assert 'lang="en"' in english
    assert english != page.text


def test_papers_and_paths_may_be_switched_off(tmp_path: Path) -> None:
    publish(tmp_path)
    app = create_app(Config(tmp_path))
    app.state.follower.look()
    for kind in ("materials", "path"):
        answer = Client(app).get(f"/v1/firms/F000007/{kind}/little_giant")
        assert (answer.status_code, answer.json()["code"]) == (503, "unready")


def test_a_full_queue_says_so_and_lookups_go_on(client: Client) -> None:
    client.app.state.pool._inside = client.app.state.pool._room
    answer = client.ask("POST", "/v1/score", json={"task": GROWTH, "records": {}})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert client.get("/healthz").status_code == 200


# ---- who may see


def test_a_role_that_does_not_reach_is_forbidden() -> None:
    row = next(r for r in access.ROUTES if r.route == "GET /v1/firms")
    access.allow(row, access.LOCAL)
    with pytest.raises(access.Forbidden, match="as official"):
        access.allow(row, access.Viewer("clerk", frozenset({"bank"})))


def test_a_viewer_of_one_district_sees_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = access.Viewer("li", frozenset({"official"}), frozenset({"区1"}))
    monkeypatch.setattr("serving.api.LOCAL", viewer)
    for address in ("/v1/firms?limit=500", f"/v1/rankings/{GROWTH}?limit=500"):
        items = client.get(address).json()["items"]
        assert {item["district"] for item in items} == {"区1"}
    for below in ("criteria/gazelle", "materials/gazelle", "materials/gazelle/letter", "path/x"):
        assert client.get(f"/v1/firms/F000002/{below}").json()["code"] == "not_found"
    hidden = client.get("/v1/firms/F000002")
    unknown = client.get("/v1/firms/F999999")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["alternatives"] == unknown.json()["alternatives"] == []
    assert client.get("/v1/firms/F000001").status_code == 200


@pytest.mark.parametrize(
    ("host", "others"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("box", True)],
)
def test_listening_to_others_is_noticed(host: str, others: bool) -> None:
    assert access.open_to_others(host) is others


# ---- the pointer


def test_without_a_snapshot_the_service_is_alive_and_not_ready(tmp_path: Path) -> None:
    app = create_app(Config(tmp_path))
    app.state.follower.look()
    client = Client(app)
    assert client.get("/healthz").status_code == 200
    for address in ("/readyz", "/v1/firms", "/v1/models"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (503, "unready")
        assert "tidu publish" in answer.json()["cure"]
    publish(tmp_path)
    app.state.follower.look()
    assert client.get("/readyz").status_code == 200


def test_the_service_takes_a_new_snapshot_over(client: Client, tmp_path: Path) -> None:
    old = client.get("/readyz").json()["snapshot_id"]
    new = publish(tmp_path, seed=1)
    client.app.state.follower.look()
    assert client.get("/readyz").json()["snapshot_id"] == new != old
    listed = client.get("/v1/snapshots").json()["items"]
    assert {i["snapshot_id"]: i["current"] for i in listed} == {old: False, new: True}


def test_a_bad_snapshot_leaves_the_old_in_service_and_is_reported(
    client: Client, tmp_path: Path
) -> None:
    old = client.get("/readyz").json()["snapshot_id"]
    bad = write(publication(seed=2), tmp_path)
    part = tmp_path / "snapshots" / bad / "scores.growth@36.arrow"
    part.write_bytes(part.read_bytes()[:-200])
    point_at(tmp_path, bad)
    for _ in range(3):  # tried once, then left in peace for a while
        client.app.state.follower.look()
    ready = client.get("/readyz").json()
    assert ready["snapshot_id"] == old
    assert bad in ready["problem"]
    assert "scores.growth@36.arrow" in ready["problem"]
    assert "tidu_snapshot_load_failures_total 1.0" in client.get("/metrics").text
    point_at(tmp_path, old)
    client.app.state.follower.look()
    assert client.get("/readyz").json()["problem"] is None


def test_pages_under_way_stay_on_their_snapshot(client: Client, tmp_path: Path) -> None:
    first = client.get(f"/v1/rankings/{GROWTH}?limit=10").json()
    publish(tmp_path, seed=1)
    client.app.state.follower.look()
    address = f"/v1/rankings/{GROWTH}?limit=10&cursor={first['next_cursor']}"
    second = client.get(address).json()
    assert second["snapshot_id"] == first["snapshot_id"]
    assert [i["rank"] for i in second["items"]] == list(range(11, 21))
    publish(tmp_path, seed=2)
    client.app.state.follower.look()
    gone = client.get(address)
    assert (gone.status_code, gone.json()["code"]) == (409, "conflict")
    other = client.get(f"/v1/rankings/{BANKRUPTCY}?cursor={first['next_cursor']}")
    assert other.status_code == 400


def test_the_store_may_fail_while_lookups_go_on(client: Client) -> None:
    def lost() -> dict[str, Any]:
        raise Unready("The store must be reachable, found it gone.", "Mend it.")

    client.app.state.follower._store.pointers = lost
    client.app.state.follower.look()
    assert "found it gone" in client.get("/readyz").json()["problem"]
    assert client.get("/v1/firms").status_code == 200


def test_swapping_under_readers_never_mixes_two_snapshots(tmp_path: Path) -> None:
    """Each answer's content is that of the snapshot it names, whatever is swapped meanwhile."""
    ids = [write(publication(seed=seed), tmp_path) for seed in (0, 1)]
    addresses = [
        "/v1/firms/F000007",
        f"/v1/firms/F000007/explanations/{GROWTH}",
        f"/v1/compare?a=F000007&b=F000008&task={BANKRUPTCY}",
        f"/v1/rankings/{GROWTH}?limit=20",
    ]
    app = create_app(Config(tmp_path))
    follower = app.state.follower
    expected: dict[tuple[str, str], bytes] = {}
    for identity in ids:
        point_at(tmp_path, identity)
        follower.look()
        for address in addresses:
            expected[identity, address] = Client(app).get(address).content
    assert len(set(expected.values())) == len(expected)
    seen = asyncio.run(_swap_while_reading(app, tmp_path, ids, addresses))
    for address, content in seen:
        assert content == expected[json.loads(content)["snapshot_id"], address]
    assert {json.loads(content)["snapshot_id"] for _, content in seen} == set(ids)


async def _swap_while_reading(
    app: FastAPI, home: Path, ids: list[str], addresses: list[str]
) -> list[tuple[str, bytes]]:
    seen: list[tuple[str, bytes]] = []
    swapping = True

    async def read(client: httpx.AsyncClient) -> None:
        while swapping:
            for address in addresses:
                answer = await client.get(address)
                seen.append((address, answer.content))
                await asyncio.sleep(0)  # without a socket nothing else lets the others run

    async with client_of(app) as client:
        readers = [asyncio.create_task(read(client)) for _ in range(4)]
        for turn in range(12):
            await asyncio.to_thread(point_at, home, ids[turn % 2])
            await asyncio.to_thread(app.state.follower.look)
        swapping = False
        await asyncio.gather(*readers)
    return seen


# ---- the description


def test_the_description_has_an_example_for_every_route(client: Client) -> None:
    schema = client.get("/openapi.json").json()
    described = {
        f"{method.upper()} {path}" for path, item in schema["paths"].items() for method in item
    }
    assert described == set(wire.ANSWERS)
    for route in wire.ANSWERS:
        method, path = route.split(" ", 1)
        operation = schema["paths"][path][method.lower()]
        example = operation["responses"]["200"]["content"]["application/json"]["example"]
        wire.ANSWERS[route].model_validate_json(json.dumps(example))
        for parameter in operation.get("parameters", ()):
            assert "example" in parameter or not parameter["required"], (route, parameter["name"])
    assert "HTTPValidationError" not in json.dumps(schema)


def test_every_reference_of_the_description_resolves(client: Client) -> None:
    schema = client.get("/openapi.json").json()
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for below in value.values():
                yield from references(below)
        elif isinstance(value, list):
            for below in value:
                yield from references(below)

    assert set(references(schema)) <= known


def test_the_page_needs_no_other_host(client: Client) -> None:
    page = client.get("/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in page.text
    for file in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon.png"):
        assert f"/docs/{file}" in page.text
        assert client.get(f"/docs/{file}").status_code == 200


def test_metrics_tell_how_old_the_data_are(client: Client) -> None:
    client.get("/v1/firms/F000001")
    client.get("/v1/firms/F000002")
    text = client.get("/metrics").text
    assert 'tidu_http_requests_total{route="/v1/firms/{firm_id}",status="200"} 2.0' in text
    assert "tidu_ready 1.0" in text
    assert "tidu_data_age_seconds" in text


# ---- real processes


def test_the_service_starts_without_the_libraries_of_training() -> None:
    code = (
        "import sys, serving.running, serving.app; "
        "print([m for m in ('sklearn', 'shap', 'mlflow', 'matplotlib', 'alembic', 'scipy')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[str], httpx.Response]]:
    """A real service of two workers in processes of its own."""
    publish(tmp_path)
    code = (
        "import sys; from pathlib import Path; from serving.running import serve;"
        " serve(Path(sys.argv[1]), '127.0.0.1', 0, 2)"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROMETHEUS")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    base = line.split()[2]
    with httpx.Client(base_url=base, timeout=60) as client:
        yield client.get
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    assert process.wait(30) == 0
    process.stderr.close()


@pytest.mark.slow
def test_two_workers_answer_over_a_real_socket(served: Callable[[str], httpx.Response]) -> None:
    first = served(f"/v1/rankings/{quote(BANKRUPTCY, safe='')}")
    assert first.json()["task"] == BANKRUPTCY
    assert served(f"/v1/rankings/{BANKRUPTCY}").json() == first.json()
    assert served("/v1/firms/F00%2F07").json()["code"] == "not_found"
    assert "tidu_http_requests_total" in served("/metrics").text


def test_a_busy_port_is_an_error_with_its_cure() -> None:
    from serving.running import listen

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unready, match="must be free") as caught:
            listen("127.0.0.1", taken.getsockname()[1])
    assert "--port" in caught.value.cure


# ---- repeated requests


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[tuple[Client, list[bytes]]]:
    """An app whose one POST notes each body that it really worked on."""
    done: list[bytes] = []
    app = FastAPI()
    problems.install(app)
    store = Store.of_home(tmp_path)

    @app.post("/lists")
    async def lists(request: Request) -> Response:
        async def run(_: str) -> Answer:
            body = await request.body()
            if body == b"bad":
                raise UsageError("A list must have a name, found none.", "Name it.")
            done.append(body)
            return Answer(201, b'{"id": %d}' % len(done))

        return await once(store, request, access.LOCAL, run)

    yield Client(app), done
    store.close()


def test_a_repeated_post_is_done_once(counting: tuple[Client, list[bytes]]) -> None:
    client, done = counting

    def post(key: str, body: bytes) -> httpx.Response:
        return client.ask("POST", "/lists", content=body, headers={"Idempotency-Key": key})

    first, again = post("k", b"a"), post("k", b"a")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = post("k", b"b")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert post("refused", b"bad").status_code == 400
    assert post("refused", b"good").status_code == 201  # the key was given back
    assert post("", b"a").json()["code"] == "usage"
    assert post("x" * 256, b"a").status_code == 400
    assert done == [b"a", b"good"]
