"""Release the files of the law: their hashes go to the lock [I/O]. python -m policy.release.

A released file never changes again; a new rule is a new file. Whoever runs this says that the files
as they stand have been checked against the documents they cite.
"""

from __future__ import annotations

from policy.loading import DATA, LOCK, digests

__all__ = ["release"]


def release() -> int:
    """Write the lock and return how many files it names."""
    found = digests()
    lines = [f'"{name}" = "{digest}"' for name, digest in found.items()]
    head = (
        "# sha256 of every released file of the law: a changed file is refused when it is loaded.\n"
    )
    (DATA / LOCK).write_text(head + "[files]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return len(found)


if __name__ == "__main__":
    release()
