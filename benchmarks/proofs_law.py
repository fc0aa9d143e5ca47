"""Proof of the law: the engine and the second reading of the documents judge alike."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.proof_item import Proof
from policy.loading import standing

TESTS = Path(__file__).resolve().parent.parent / "tests"
CHUNK = 4_000


def oracle(sample: bool) -> dict[str, object]:
    """Firms of every edition that is read twice, each with its figures around all bounds."""
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    from law_oracle.readings import readings
    from oracle_compare import compare
    from oracle_firms import firm

    law, each = standing(), 2_000 if sample else 200_000
    numbers = {name: law.number(name) for name in law.parameters}
    found: dict[str, int] = {"firms": 0, "statuses and scores": 0, "different": 0}
    tiers: dict[str, int] = {}
    for edition, reading in readings(numbers).items():
        for seed in range(0, each, CHUNK):
            rng = np.random.default_rng(seed + 1)
            firms = [firm(rng, reading) for _ in range(min(CHUNK, each - seed))]
            tally = compare(law, edition, reading, firms)
            found["firms"] += tally.firms
            found["statuses and scores"] += tally.statuses
            found["different"] += len(tally.different)
            for (name, status), n in tally.seen.items():
                tiers[status] = tiers.get(status, 0) + n if name == "tier" else tiers.get(status, 0)
    seen = {f"tier {status}": n for status, n in sorted(tiers.items()) if n}
    return {"editions": len(readings(numbers)), **found, **seen}


PROOFS = [
    Proof(
        "law-oracle",
        "200 000 firms of each edition: every criterion, score and tier as the documents, "
        "read a second time, say",
        oracle,
        holds=lambda r: r["different"] == 0 and int(str(r["firms"])) > 0,
        issue=3,
    ),
]
