"""Commands that run things: serve, demo."""

from __future__ import annotations

import click

from serving.commands.edge import JSON, bars, emit, note
from serving.workspace import Workspace

__all__ = ["demo_command", "serve_command"]

SHOWN = 5
PORT = click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)


@click.command("serve")
@PORT
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@JSON
def serve_command(port: int, host: str, workers: int, as_json: bool) -> None:
    """Serve the published snapshot over HTTP; API docs at /docs."""
    from serving.running import serve

    workspace = Workspace.of()
    serve(workspace.home, host, port, workers)
    emit({"home": str(workspace.home), "stopped": True}, as_json)


@click.command("demo")
@click.option("--firms", type=click.IntRange(min=500), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@PORT
@click.option("--serve/--no-serve", "serving", default=True, help="Leave the service running.")
@JSON
def demo_command(firms: int, seed: int, port: int, serving: bool, as_json: bool) -> None:
    """A synthetic city from files to an explained ranking, in a home of its own."""
    from serving.commands.publishing import explained
    from serving.demonstration import AS_OF, import_city, rank, train_and_publish

    workspace = Workspace(Workspace.of().home / f"demo-{firms}-{seed}")
    note(f"A synthetic city of {firms} firms (seed {seed}) in {workspace.home}")
    import_city(workspace, firms, seed, note)
    with bars() as progress:
        identity = train_and_publish(workspace, seed, progress)
    found = rank(workspace, SHOWN)
    text = "\n\n".join(explained(one, "zh") for one in found)
    emit({"home": str(workspace.home), "snapshot_id": identity, "top": found}, as_json, text)
    note(f"Published {identity} as of {AS_OF}; try: TIDU_HOME={workspace.home} tidu shortlist …")
    if serving:
        from serving.running import serve

        serve(workspace.home, "127.0.0.1", port)
