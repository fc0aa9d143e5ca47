"""What the service refuses, each with a cure, and who may see what."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from http_client import BANKRUPTCY, GROWTH, Client, publish

from serving import access, problems, wire
from serving.app import Config, create_app
from tidu import errors
from tidu.errors import TiduError


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
