"""Past answers again: an address asked of a snapshot by its id, and a snapshot made anew.

:class:`Replay` puts the very app together that serves, on one snapshot for good, and asks it: what
it answers is byte for byte what the service answered while that snapshot was in service, however
much has been imported, trained or published since. :func:`rebuilt` goes further back: from what the
manifest names (vault head, day, bundles, the law's files) it publishes once more and compares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote_to_bytes

from tidu.errors import NotFound, Refused, UsageError

if TYPE_CHECKING:
    from policy.plan.rows import Plan
    from serving.snapshot import Snapshot
    from serving.workspace import Workspace

__all__ = ["Rebuilt", "Replay", "Replayed", "plan_of", "published_plan", "rebuilt", "snapshot_of"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the service answers: its status and the bytes of its body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The id of the snapshot made anew, and which parts or inputs have come out otherwise."""

    snapshot_id: str
    differing: tuple[str, ...]


def snapshot_of(workspace: Workspace, reference: str) -> str:
    """The id of a snapshot of the home, by its id or the start of it."""
    from serving.snapshot import available

    found = [name for name in available(workspace.home) if name.startswith(reference)]
    if reference and len(found) == 1:
        return found[0]
    if reference and found:
        raise UsageError(f"{reference!r} is the start of {len(found)} snapshots.", "Write more.")
    raise NotFound(
        f"A snapshot must be one of this home, found {reference!r}.",
        "GET /v1/snapshots lists them.",
    )


class Replay:
    """Asks one snapshot, in this process; a context that closes what it opened."""

    def __init__(self, workspace: Workspace, snapshot_id: str) -> None:
        from serving.app import Config, create_app
        from serving.casework import Casework
        from serving.desk import Desk

        casework = Casework.of(workspace)
        home = workspace.home
        desk = Desk(home, casework)
        self._app = create_app(Config(home, casework=casework, desk=desk, snapshot=snapshot_id))
        state = self._app.state
        state.follower.look()
        if state.follower.state.served is None:
            self.__exit__()
            raise Refused(str(state.follower.state.problem), "Restore the snapshot's directory.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        state = self._app.state
        state.follower.close()
        for queue in (state.pool, state.desk, state.cases):
            queue.close()

    def get(self, address: str) -> Replayed:
        """Answer ``GET address``, as ``/v1/rankings/growth@12?limit=5``.

        An answer that does not follow from a snapshot (``/v1/models`` names the bundles in use, a
        letter bears the day it is written) is refused: nobody could repeat it.
        """
        if not address.startswith("/"):
            raise UsageError(f"An address must begin with /, found {address!r}.", "Write /v1/…")
        status, headers, body = asyncio.run(_ask(self._app, address))
        if status == 200 and b"no-store" in headers.get(b"cache-control", b""):
            raise UsageError(
                f"A replayed answer must follow from its snapshot, found that {address} may change"
                " while the snapshot stays.",
                "Ask the running service.",
            )
        return Replayed(status, body)


async def _ask(app: Callable[..., Any], address: str) -> tuple[int, dict[bytes, bytes], bytes]:
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote_to_bytes(path).decode(),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"tidu")],
        "client": ("replay", 0),
        "server": ("tidu", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.lower(): value for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:])


def rebuilt(
    workspace: Workspace,
    snapshot: Snapshot,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Rebuilt:
    """Publish again from what the manifest names, aside, and compare part by part.

    The records are those of its vault head: what was imported later is not seen. A snapshot without
    its law, or whose bundle is gone, is refused.
    """
    from model.bundle import load
    from policy.loading import law_of
    from serving.publishing import Rules, published
    from serving.snapshot import Snapshot, write

    inputs = snapshot.manifest["inputs"]
    if not snapshot.law:
        raise Refused(
            f"The law must be a part of the snapshot, found none in {snapshot.id}.",
            "It was published by another version of Tidu; its stored answers can be replayed.",
        )
    law = law_of(snapshot.law)
    bundles = [load(workspace.bundle_path(of)) for _, of in sorted(inputs["bundles"].items())]
    history = workspace.vault.at(inputs["vault_head"])
    day = date.fromisoformat(inputs["as_of"])
    rules = Rules(law, published_plan(workspace.home, snapshot))
    publication = published(history, day, bundles, rules, progress)
    with TemporaryDirectory(prefix="tidu-rebuilt-") as aside:
        identity = write(publication, Path(aside))
        made = Snapshot.open(Path(aside) / "snapshots" / identity)
    return Rebuilt(identity, _differing(snapshot.manifest, made.manifest))


def published_plan(home: Path, snapshot: Snapshot) -> Plan | None:
    """The plan that a snapshot was published with; None where it was without."""
    if snapshot.plan is None:
        return None
    return plan_of(home, snapshot.law, snapshot.plan.page("targets")["plan"])


def plan_of(home: Path, law: Mapping[str, bytes], name: str) -> Plan:
    """A plan by its id: among the law's files, or one of the city's own."""
    from policy.plan.files import load_plans, plans_of

    own = plans_of(law)
    return own[name] if name in own else load_plans(home / "policy" / "plan")[name]


def _differing(one: Any, other: Any) -> tuple[str, ...]:
    """Names of parts whose hashes differ, and of everything else of two manifests that does."""
    parts = sorted(one["parts"].keys() | other["parts"].keys())
    hashes = [{name: part["sha256"] for name, part in m["parts"].items()} for m in (one, other)]
    found = [name for name in parts if hashes[0].get(name) != hashes[1].get(name)]
    for group in ("inputs", "tasks"):
        names = sorted(one[group].keys() | other[group].keys())
        found += [f"{group}.{n}" for n in names if one[group].get(n) != other[group].get(n)]
    return tuple(found + [n for n in ("format", "profile") if one[n] != other[n]])
