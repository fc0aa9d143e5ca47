"""The engine judges firms in one batch, the second reading (``law_oracle``) one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args

import numpy as np
import pandas as pd
from law_oracle.completions import EXEMPT, FINDINGS, Firm, outcomes
from law_oracle.entry import MEASURES
from law_oracle.readings import PURPOSES, Reading, tier
from oracle_draw import FISCAL_YEAR

from policy.calendar import day_number
from policy.law import Law
from policy.logic import MET, NAMES, UNKNOWN, UNMET
from policy.metrics import column_of
from policy.rules import Purpose
from policy.sizes import size_range
from policy.values import Inputs, Values
from policy.verdict import Verdict, judge

DAY = date(2026, 6, 30)
CODES = {"met": MET, "unmet": UNMET, "unknown": UNKNOWN}


def batch(law: Law, reading: Reading, firms: Sequence[Mapping[str, Any]]) -> Inputs:
    """The same firms as the engine takes them."""
    names = sorted({n for f in firms for n in f if not n.startswith((FINDINGS, "fiscal"))})
    columns = {n: np.array([_number(n, f.get(n)) for f in firms], dtype=float) for n in names}
    measures = pd.DataFrame({m: columns[m] for m in MEASURES.values()})
    measures["industry"] = [f.get("industry_300") for f in firms]
    columns["size_low()"], columns["size_high()"] = size_range(law, measures)
    return Inputs(
        np.array([f"F{i:06d}" for i in range(len(firms))], dtype=object),
        DAY,
        FISCAL_YEAR,
        columns,
        {n: np.array([_finding(f, n) for f in firms], dtype=np.int8) for n in reading.findings},
    )


def _number(name: str, value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, date):
        return day_number(value)
    if isinstance(value, str):
        column = column_of(name)
        assert column is not None
        return float(list(column.codes).index(value))
    return float(value)


def _finding(inputs: Mapping[str, Any], name: str) -> int:
    found = inputs.get(FINDINGS + name)
    return NAMES.index("manual") if found is None else CODES[found]


# ---------------------------------------------------------------------------------- compared


@dataclass
class Tally:
    """What was compared: statuses seen by the engine, and every difference with the firm."""

    firms: int = 0
    statuses: int = 0
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    different: list[tuple[str, Any, Any, Mapping[str, Any]]] = field(default_factory=list)


def compare(law: Law, edition: str, reading: Reading, firms: Sequence[Mapping[str, Any]]) -> Tally:
    """Judge all firms both ways, half of them for review."""
    values, tally = Values(law, batch(law, reading, firms)), Tally()
    verdicts = {p: judge(law.edition(edition), values, p) for p in get_args(Purpose)}
    assert set(verdicts) == set(PURPOSES)
    names = [criterion.id for criterion in law.edition(edition).criteria]
    assert set(names) == set(reading.names), set(names) ^ set(reading.names)
    for row, inputs in enumerate(firms):
        purpose = PURPOSES[row % 2]
        read = Firm(inputs)
        wanted: dict[str, Any] = dict(reading.statuses(read, purpose))
        wanted["tier"] = tier(wanted)
        wanted |= {f"score {name}": pair for name, pair in reading.scores(read).items()}
        found = _found(verdicts[purpose], names, row)
        tally.firms += 1
        tally.statuses += len(found)
        tally.seen.update((n, s) for n, s in found.items() if isinstance(s, str))
        tally.different += [
            (n, found[n], wanted[n], inputs) for n in found if found[n] != wanted[n]
        ]
    return tally


def _found(verdict: Verdict, names: Sequence[str], row: int) -> dict[str, Any]:
    """What the engine says of a firm: statuses, the tier, least and most points."""
    found: dict[str, Any] = {
        name: NAMES[code] for name, code in zip(names, verdict.criteria[row], strict=True)
    }
    found["tier"] = NAMES[verdict.status[row]]
    for name, scored in verdict.scores.items():
        found[f"score {name}"] = float(scored.low[row]), float(scored.high[row])
    return found


def overruled(
    law: Law, edition: str, reading: Reading, firms: Sequence[Mapping[str, Any]]
) -> tuple[int, list[tuple[str, str, Mapping[str, Any]]]]:
    """How many decisions of the engine rest on missing inputs, and those that one value upsets."""
    values = Values(law, batch(law, reading, firms))
    verdict = judge(law.edition(edition), values, "new")
    names = [criterion.id for criterion in law.edition(edition).criteria]
    upset, decided = [], 0
    rules = {**reading.rules, **reading.only.get("new", {})}
    for row, inputs in enumerate(firms):
        for name, code in zip(names, verdict.criteria[row], strict=True):
            if name not in rules or code not in (MET, UNMET) or inputs.get("foreign"):
                continue
            read = Firm(inputs, by_input=True)
            found = outcomes(rules[name], read, reading.bounds, truth=True)
            decided += 1
            allowed = {False} if code == UNMET else {True, EXEMPT}
            if not found <= allowed:
                upset.append((name, NAMES[code], inputs))
    return decided, upset
