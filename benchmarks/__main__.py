"""Run the benchmarks: `python -m benchmarks [NAME ...]`, without a name all of them.

A benchmark is a module of this directory with a `main()` that prints what it measured. Modules
whose name begins with `proof` belong to `benchmarks/proof.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
import traceback

import benchmarks

__all__ = ["main", "names"]


def names() -> list[str]:
    """List the modules of this directory that have a `main()`."""
    found = []
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name.startswith(("proof", "_")):
            continue
        if hasattr(importlib.import_module(f"benchmarks.{module.name}"), "main"):
            found.append(module.name)
    return sorted(found)


def main(wanted: list[str]) -> int:
    """Run the benchmarks in `wanted`; one that fails does not keep the others from running."""
    known = names()
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}")
        return 2
    failed = []
    for name in wanted or known:
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        try:
            importlib.import_module(f"benchmarks.{name}").main()
        except Exception:
            traceback.print_exc()
            failed.append(name)
        print(f"== {name}: {time.perf_counter() - start:.1f} s\n", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
