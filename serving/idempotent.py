"""A POST that changes state: done once per Idempotency-Key, answered alike every time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import Response

from serving.access import Viewer
from serving.keys import Answer
from serving.store import Store
from tidu.digest import of_bytes, of_json
from tidu.errors import UsageError

__all__ = ["HEADER", "once"]

HEADER = "Idempotency-Key"
LONGEST = 255


async def once(
    store: Store, request: Request, viewer: Viewer, run: Callable[[str], Awaitable[Answer]]
) -> Response:
    """Run ``run(key)`` unless this key was answered before; then give that answer again.

    ``run`` should keep its answer within its own change (``store.keys.finish(key, answer,
    connection)``): then a crash in between can neither lose the answer nor repeat the change.
    An error before anything was done gives the key back.
    """
    key = request.headers.get(HEADER, "").strip()
    if not 0 < len(key) <= LONGEST:
        raise UsageError(
            f"A request that changes something must carry {HEADER} of 1 to {LONGEST} characters,"
            f" found {len(key)}.",
            "Send a new random key with each new request, and the same one when repeating it.",
        )
    # A key belongs to its viewer: nobody is shown the answer that was given to another.
    own = of_json([viewer.name, key])
    about = [request.method, request.url.path, request.url.query]
    digest = of_json([*about, of_bytes(await request.body())])
    earlier = await asyncio.to_thread(store.keys.begin, own, digest)
    if earlier is not None:
        headers = {"Idempotent-Replayed": "true"}
        return Response(earlier.body, earlier.status, headers, "application/json")
    try:
        answer = await run(own)
        await asyncio.to_thread(store.keys.finish, own, answer)
    except BaseException:
        await asyncio.to_thread(store.keys.release, own)
        raise
    return Response(answer.body, answer.status, media_type="application/json")
