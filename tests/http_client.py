"""An app asked without a server, on a small publication; shared by the tests over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sample_publication import casework, publication

from policy.loading import standing
from serving.app import Config, create_app
from serving.desk import Desk
from serving.planning import difference
from serving.snapshot import Snapshot, write
from serving.store import Store
from tidu.errors import DataError, Issue

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


@contextmanager
def asking(home: Path) -> Iterator[Client]:
    """A client of an app on a fresh publication below ``home``."""
    publish(home)
    cases = casework()
    desk = Recorded(home, cases)
    app = create_app(Config(home, scorer=scored, casework=cases, desk=desk))
    app.state.follower.look()
    yield Client(app)
    app.state.follower.close()
    app.state.pool.close()
    app.state.cases.close()
    app.state.desk.close()
