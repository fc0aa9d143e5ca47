"""Writing a directory aside [I/O]: one writer at a time, every byte flushed, leftovers cleared."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from tidu.errors import Conflict, Unready

__all__ = ["exclusive", "flush", "write_arrow"]

ASIDE = ".building-"


@contextmanager
def exclusive(root: Path) -> Iterator[Path]:
    """Hold the writer's lock of ``root`` and give a directory to build in; it is cleared after.

    The lock goes with its process, so what an interrupted writer left is known to be dead.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                "Publications run one at a time, found another one under way.",
                "Wait until it has finished.",
            ) from error
        for left in root.glob(f"{ASIDE}*"):
            shutil.rmtree(left)
        aside = root / f"{ASIDE}{os.getpid()}"
        aside.mkdir()
        try:
            yield aside
        except OSError as error:
            raise Unready(
                f"The snapshot could not be written: {error.strerror} ({error.filename or root}).",
                "Make room or mend the rights, then publish again; nothing was changed.",
            ) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def flush(path: Path, content: bytes) -> None:
    """Write a file and its directory entry through to the disk."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def write_arrow(table: pa.Table, path: Path) -> dict[str, int | str]:
    """Write an uncompressed Arrow file (compressed ones cannot be mapped); return its facts."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        # One batch: a column is then one array over the file, and a lookup one address.
        writer.write_table(table.combine_chunks(), max_chunksize=max(1, table.num_rows))
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size, "rows": table.num_rows}
