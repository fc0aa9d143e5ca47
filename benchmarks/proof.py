"""Run the proofs: counts that an issue names, each measured once per commit and kept.

    python -m benchmarks.proof               all, into benchmarks/RESULTS.md; a rerun continues
    python -m benchmarks.proof --sample      the small stated part of each, as CI runs it
    python -m benchmarks.proof --only NAME   one item (may be repeated); --again measures anew
    python -m benchmarks.proof --list        what there is

To add a proof, write a function in `benchmarks/proofs_<subject>.py` and name it in that module's
`PROOFS`; nothing else needs to know:

    def scramble(sample: bool) -> dict[str, object]:
        histories = 20 if sample else 1_000
        ...
        return {"histories": histories, "features changed": changed}

    PROOFS = [
        Proof("scramble", "nothing known after as_of changes a feature", scramble,
              holds=lambda r: r["features changed"] == 0, issue=2),
    ]

The function returns what it counted (JSON values, flat); `holds` says whether that is enough. It
must be deterministic and must finish a sample within two minutes on two cores. Raise `Skip` where
the real sets are not at hand.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import benchmarks
from benchmarks.proof_item import Proof, Skip

__all__ = ["main", "proofs"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def proofs() -> dict[str, Proof]:
    """Collect the items of all `proofs_*` modules by name, in order of module and list."""
    found: dict[str, Proof] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__)):
        if not module.startswith("proofs_"):
            continue
        for item in importlib.import_module(f"benchmarks.{module}").PROOFS:
            if item.name in found:
                raise ValueError(f"two proofs are named {item.name!r}; rename one in {module}.py")
            found[item.name] = item
    return found


def git(*arguments: str) -> str:
    """Ask git; an export without history answers with nothing."""
    with contextlib.suppress(OSError):
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return ""


def commit() -> str:
    """Name the commit; a tree with other changes than its results is marked `-dirty`."""
    name = git("rev-parse", "--short=12", "HEAD") or "uncommitted"
    changed = git("status", "--porcelain", "--", ".", f":(exclude){RESULTS.relative_to(ROOT)}")
    return f"{name}-dirty" if changed else name


def machine() -> dict[str, str]:
    """State the facts of the machine that a reader needs to judge a time."""
    model = ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def measure(item: Proof, sample: bool) -> dict[str, object]:
    """Run one item and return its record; an error is a record too, but is not kept."""
    start = time.perf_counter()
    record: dict[str, object] = {"name": item.name, "claim": item.claim, "issue": item.issue}
    try:
        counts = item.run(sample)
        record |= {"state": "holds" if item.holds(counts) else "does not hold", "counts": counts}
    except Skip as skip:
        record |= {"state": "skipped", "counts": {"reason": str(skip)}}
    except Exception as error:
        traceback.print_exc()
        record |= {"state": "error", "counts": {"error": f"{type(error).__name__}: {error}"}}
    record["seconds"] = round(time.perf_counter() - start, 1)
    record["measured"] = datetime.now(UTC).isoformat(timespec="seconds")
    return record


def stored(path: Path) -> dict[str, object] | None:
    """Return a finished item's record; one that a crash cut short counts as absent."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def run(items: list[Proof], directory: Path, sample: bool, again: bool) -> list[dict[str, object]]:
    """Measure what `directory` does not hold yet; each record is written when it is finished."""
    records = []
    for item in items:
        path = directory / f"{item.name}.json"
        record = None if again else stored(path)
        if record is None:
            print(f"proof {item.name}: {item.claim}", flush=True)
            record = measure(item, sample)
            if record["state"] in ("holds", "does not hold"):
                directory.mkdir(parents=True, exist_ok=True)
                aside = path.with_suffix(".part")
                aside.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
                aside.replace(path)
        print(
            f"proof {item.name}: {record['state']}, {words(record)} ({record['seconds']} s)",
            flush=True,
        )
        records.append(record)
    return records


def words(record: dict[str, object]) -> str:
    """Write the counts of a record in one line."""
    counts = record["counts"]
    assert isinstance(counts, dict)
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in counts.items()
    )


HEAD = "| proof | claim | issue | result | counts | seconds | commit |"


def report(records: list[dict[str, object]], at: str, before: str = "") -> str:
    """Write RESULTS.md: what was measured now, and of ``before`` the items that were not."""
    rows = older(before)
    for record in records:
        cells = [
            record["name"], record["claim"], f"#{record['issue']}", record["state"], words(record),
            record["seconds"], at,
        ]  # fmt: skip
        line = "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
        rows[str(record["name"])] = line
    lines = [
        "# Results of `make proof`",
        "",
        "Each row names the commit that it was measured on, and stays until it is measured again.",
        "Machine: " + ", ".join(f"{key} {value}" for key, value in machine().items()) + ".",
        "",
        HEAD,
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *rows.values(), ""])


def older(text: str) -> dict[str, str]:
    """Return the rows of an earlier report by item."""
    if HEAD not in text:
        return {}
    rows = [line for line in text.partition(HEAD)[2].splitlines() if line.startswith("| ")]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


def main(arguments: list[str]) -> int:
    """Run what the arguments name; 0 if everything holds or was skipped with a reason."""
    parser = argparse.ArgumentParser(prog="proof", description="Counts that an issue names.")
    parser.add_argument("--sample", action="store_true", help="the small stated part of each")
    parser.add_argument("--only", action="append", metavar="NAME", help="one item; may be repeated")
    parser.add_argument("--again", action="store_true", help="measure anew what is there already")
    parser.add_argument("--list", action="store_true", help="what there is")
    options = parser.parse_args(arguments)

    known = proofs()
    if options.list:
        for item in known.values():
            print(f"{item.name:<24} #{item.issue}  {item.claim}")
        return 0
    unknown = sorted(set(options.only or []) - set(known))
    if unknown:
        print(f"no such proof: {', '.join(unknown)}; there are: {', '.join(known)}")
        return 2

    at = commit()
    directory = ROOT / "var" / "proof" / (f"{at}-sample" if options.sample else at)
    chosen = [known[name] for name in options.only] if options.only else list(known.values())
    # A changed tree has no name of its own: what was measured on it may not hold for it now.
    again = options.again or at.endswith("-dirty") or at == "uncommitted"
    records = run(chosen, directory, options.sample, again)
    if not options.sample:
        finished = [stored(directory / f"{name}.json") for name in known]
        fresh = {str(record["name"]): record for record in records}
        kept = {str(record["name"]): record for record in finished if record}
        order = [kept.get(name) or fresh.get(name) for name in known]
        before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
        RESULTS.write_text(report([r for r in order if r], at, before), encoding="utf-8")
        print(f"written: {RESULTS.relative_to(ROOT)}")
    bad = [
        str(record["name"]) for record in records if record["state"] in ("does not hold", "error")
    ]
    if bad:
        print(f"proofs that do not hold: {', '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
