"""Stored reads over HTTP against scoring on the fly: the real server, loaded from another process.

    python benchmarks/serving.py [--firms 25000] [--requests 20000] [--workers 2] [--clients 16]

A synthetic snapshot (120 features, two tasks) is written to a temporary home; the server and its
load share this machine's cores. Closed loop: each client sends its next request when the last one
is answered, so p99 is of answers, not of arrivals. Bars: ≥ 5 000 stored reads a second with
p99 ≤ 20 ms, and ≥ 20 × what scoring one firm on the fly gives.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
# Run as a script, this folder stands first on the path, and this file has a package's name.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402

TASK = "growth@36"
WIDTH = 120
ADDRESSES = {
    "firm": "/v1/firms/{firm}",
    "explanation": "/v1/firms/{firm}/explanations/" + TASK,
    "criteria": "/v1/firms/{firm}/criteria/little_giant",
    "ranking page of 50": "/v1/rankings/" + TASK + "?limit=50",
    "search page of 50": "/v1/firms?q=企业1&limit=50",
    "compare": "/v1/compare?a={firm}&b=F000001&task=" + TASK,
}


def prepare(home: Path, firms: int) -> None:
    from sample_publication import publication

    from serving.snapshot import write
    from serving.store import Store

    identity = write(publication(firms, WIDTH), home)
    with Store.of_home(home) as store:
        store.move_pointer("snapshot", identity, None)


def with_scorer():
    """The app with a scorer of the usual size: 300 trees of 31 leaves, reasons included."""
    import lightgbm as lgb

    from serving.app import Config, create_app

    random = np.random.default_rng(0)
    x = random.normal(size=(4000, WIDTH))
    data = lgb.Dataset(x, (x[:, :9].sum(axis=1) > 0).astype(float))
    settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1}
    booster = lgb.train(settings, data, 300)

    def scorer(task: str, records: dict[str, list[dict[str, float]]]) -> dict[str, object]:
        rows = np.array([[row[f"f{i}"] for i in range(WIDTH)] for row in records["firms"]])
        reasons = booster.predict(rows, pred_contrib=True, num_threads=1)
        items = [{"score": float(r.sum()), "reasons": r.tolist()} for r in reasons]
        return {"model_version": task, "items": items}

    return create_app(Config(Path(os.environ["TIDU_HOME"]), scorer=scorer))


class Connection(asyncio.Protocol):
    """One keep-alive client: counts answers, keeps the time each took."""

    def __init__(self, requests: list[bytes], done: asyncio.Future[None]) -> None:
        self.requests = iter(requests)
        self.done = done
        self.times: list[float] = []
        self.failed = 0
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            self.done.set_result(None)
            return
        self.started = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, gap, body = self.buffer.partition(b"\r\n\r\n")
        if not gap:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self.times.append(time.perf_counter() - self.started)
            self.failed += not head.startswith(b"HTTP/1.1 200")
            self.buffer = b""
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))


async def load(port: int, requests: list[bytes], clients: int) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    waits, connections = [], []
    started = time.perf_counter()
    for number in range(clients):
        done = loop.create_future()
        mine = requests[number::clients]
        _, connection = await loop.create_connection(
            lambda mine=mine, done=done: Connection(mine, done), "127.0.0.1", port
        )
        waits.append(done)
        connections.append(connection)
    await asyncio.gather(*waits)
    seconds = time.perf_counter() - started
    times = np.concatenate([c.times for c in connections]) * 1000
    return {
        "per_second": len(times) / seconds,
        "p50_ms": float(np.percentile(times, 50)),
        "p99_ms": float(np.percentile(times, 99)),
        "failed": sum(c.failed for c in connections),
    }


def get(address: str) -> bytes:
    return f"GET {quote(address, safe='/?=&@:%')} HTTP/1.1\r\nHost: tidu\r\n\r\n".encode()


def post(address: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST {address} HTTP/1.1\r\nHost: tidu\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def requests_for(name: str, count: int, firms: int) -> list[bytes]:
    # Firms in an order that no cache of the last few would serve; every sixth is in no cohort.
    numbers = np.random.default_rng(1).integers(0, firms // 6, count) * 6 + 5
    return [get(ADDRESSES[name].format(firm=f"F{n:06d}")) for n in numbers]


def client(port: int, name: str, options: argparse.Namespace) -> None:
    """The second process: load one address and print what was measured."""
    import uvloop

    if name == "scoring on the fly":
        row = {f"f{i}": 0.1 * i for i in range(WIDTH)}
        body = {"task": TASK, "records": {"firms": [row]}}
        requests = [post("/v1/score", body)] * max(200, options.requests // 20)
    else:
        requests = requests_for(name, options.requests, options.firms)
    uvloop.run(load(port, requests[: 40 * options.clients], options.clients))  # warm
    print(json.dumps(uvloop.run(load(port, requests, options.clients))))


def server(home: Path, workers: int) -> None:
    """The first process: the service with a scorer, on a port that it prints."""
    import uvicorn

    from serving import running

    settings = uvicorn.Config
    running.uvicorn.Config = lambda _, **k: settings("benchmarks.serving:with_scorer", **k)
    running.serve(home, "127.0.0.1", 0, workers)


def measure(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    me = [sys.executable, str(Path(__file__).resolve())]
    shared = [f"--{k}={getattr(options, k)}" for k in ("firms", "requests", "workers", "clients")]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), options.firms)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [*me, *shared, "--server", folder]
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                port = int(process.stderr.readline().split()[2].rsplit(":", 1)[1])
                for name in (*ADDRESSES, "scoring on the fly"):
                    done = subprocess.run(
                        [*me, *shared, "--client", str(port), name],
                        stdout=subprocess.PIPE,
                        text=True,
                        check=True,
                    )
                    results[name] = json.loads(done.stdout)
            finally:
                process.send_signal(signal.SIGINT)
                process.stderr.read()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("firms", 25_000), ("requests", 20_000), ("workers", 2), ("clients", 16)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--server", help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.server:
        server(Path(options.server), options.workers)
        return
    if options.client:
        client(int(options.client[0]), options.client[1], options)
        return
    results = measure(options)
    live = results["scoring on the fly"]["per_second"]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {vars(options)}")
    print(f"{'':24}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'× live':>9}{'failed':>8}")
    for name, r in results.items():
        ratio = r["per_second"] / live
        print(
            f"{name:24}{r['per_second']:9.0f}{r['p50_ms']:9.2f}{r['p99_ms']:9.2f}"
            f"{ratio:9.1f}{r['failed']:8.0f}"
        )


if __name__ == "__main__":
    main()
