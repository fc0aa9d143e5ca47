"""The lock on the city's parameters: the digest under which Tidu's own learner first met the city.

``python -m city.lock`` writes it; decision 0005 says what the lock promises.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from city.parameters import Parameters

__all__ = ["LOCK", "locked", "main"]

LOCK = "parameters.lock"


def locked() -> str:
    """Return the digest to which ``parameters.toml`` is bound."""
    return (resources.files("city") / LOCK).read_text(encoding="utf-8").strip()


def main() -> None:
    """Bind the parameters as they are now."""
    found = Parameters.load().digest
    Path(str(resources.files("city") / LOCK)).write_text(f"{found}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
