"""The service over HTTP: answers of one snapshot, their fields, their description."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from http_client import BANKRUPTCY, GROWTH, Client
from sample_publication import TASKS

from policy.loading import standing
from serving import access, wire
from serving.app import routes_of
from tidu.errors import Refused

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
    ("GET /v1/firms/{firm_id}/history", f"/v1/firms/F000007/history?task={GROWTH}", None),
    ("GET /v1/compare", f"/v1/compare?a=F000007&b=F000008&task={GROWTH}", None),
    ("POST /v1/shortlists", "/v1/shortlists", {"task": GROWTH, "k": 3}),
    ("GET /v1/shortlists", "/v1/shortlists", None),
    ("GET /v1/shortlists/{shortlist_id}", "/v1/shortlists/{saved}", None),
    (
        "GET /v1/shortlists/{shortlist_id}/diff/{other}",
        "/v1/shortlists/{saved}/diff/{saved}",
        None,
    ),
    (
        "POST /v1/shortlists/{shortlist_id}/decisions",
        "/v1/shortlists/{saved}/decisions",
        {"firm_id": "{first}", "decision": "推荐"},
    ),
    (
        "GET /v1/shortlists/{shortlist_id}/decisions",
        "/v1/shortlists/{saved}/decisions",
        None,
    ),
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


def of_a_saved_list(client: Client, address: str, body: Any) -> tuple[str, Any]:
    """Save a list and name it, and its first firm, in a request."""
    made = client.ask(
        "POST", "/v1/shortlists", json={"task": GROWTH, "k": 2}, headers={"Idempotency-Key": "made"}
    ).json()
    if body is not None:
        body = {k: v.replace("{first}", made["items"][0]["firm_id"]) for k, v in body.items()}
    return address.replace("{saved}", made["shortlist_id"]), body


@pytest.mark.parametrize(("route", "address", "body"), REQUESTS, ids=[r[0] for r in REQUESTS])
def test_every_answer_has_the_fields_of_its_row_and_fits_its_model(
    client: Client, route: str, address: str, body: Any
) -> None:
    method = route.split(" ", 1)[0]
    if "{saved}" in address:
        address, body = of_a_saved_list(client, address, body)
    answer = client.ask(method, address, json=body, headers={"Idempotency-Key": "asked"})
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
