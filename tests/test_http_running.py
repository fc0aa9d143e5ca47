"""The service running: a pointer followed, its description, real processes, requests repeated."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from http_client import BANKRUPTCY, GROWTH, Client, client_of, point_at, publish
from sample_publication import publication

from serving import access, problems, wire
from serving.app import Config, create_app
from serving.idempotent import once
from serving.keys import Answer
from serving.snapshot import write
from serving.store import Store
from tidu.errors import Unready, UsageError


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
