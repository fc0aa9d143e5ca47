"""The command replay: a past answer again, or a snapshot made anew from its inputs."""

from __future__ import annotations

import sys

import click

from serving.commands.edge import JSON, bars, emit
from serving.workspace import Workspace
from tidu.errors import Refused, UsageError

__all__ = ["replay_command"]


@click.command("replay")
@click.argument("snapshot")
@click.argument("address", required=False)
@click.option("--rebuild", is_flag=True, help="Publish it again from its inputs and compare.")
@JSON
def replay_command(snapshot: str, address: str | None, rebuild: bool, as_json: bool) -> None:
    """Answer ADDRESS (/v1/…) as SNAPSHOT answered it, byte for byte; or --rebuild SNAPSHOT."""
    from serving.replay import Replay, rebuilt, snapshot_of
    from serving.snapshot import Snapshot

    if rebuild == (address is not None):
        raise UsageError(
            f"Replay needs an address or --rebuild, found {'both' if rebuild else 'neither'}.",
            "tidu replay SNAPSHOT /v1/targets",
        )
    workspace = Workspace.of()
    identity = snapshot_of(workspace, snapshot)
    if address is not None:
        with Replay(workspace, identity) as asked:
            answer = asked.get(address)
        _write(answer.body)
        if answer.status != 200:
            raise click.exceptions.Exit(1)
        return
    with bars() as progress:
        path = workspace.home / "snapshots" / identity
        found = rebuilt(workspace, Snapshot.open(path), progress)
    if found.differing:
        raise Refused(
            f"Snapshot {identity} made anew must be the same, found other"
            f" {', '.join(found.differing)}.",
            "Another version of Tidu made it, or a file of its inputs has changed.",
            {"snapshot_id": identity, "differing": list(found.differing)},
        )
    emit({"snapshot_id": identity, "same": True}, as_json, f"{identity}: the same")


def _write(body: bytes) -> None:
    """The very bytes: no line is added, no encoding comes between."""
    sys.stdout.flush()
    out = getattr(sys.stdout, "buffer", None)
    if out is None:  # put in place of the terminal by whoever calls us in its process
        sys.stdout.write(body.decode())
        return
    out.write(body)
    out.flush()
