"""Commands that run things: serve, demo."""

from __future__ import annotations

import click

from serving.commands.edge import JSON

__all__ = ["demo_command", "serve_command"]


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def serve_command(port: int, host: str, workers: int) -> None:
    """Serve the published snapshot over HTTP; API docs at /docs."""
    from serving.running import serve
    from serving.workspace import Workspace

    serve(Workspace.of().home, host, port, workers)


@click.command("demo")
@click.option("--firms", type=click.IntRange(min=200), default=3000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--serve/--no-serve", "serving", default=True, help="Leave the service running.")
@JSON
def demo_command(firms: int, seed: int, port: int, serving: bool, as_json: bool) -> None:
    """A synthetic city from files to an explained ranking, in a home of its own."""
    from serving.demonstration import demonstrate

    demonstrate(firms, seed, port if serving else None, as_json)
