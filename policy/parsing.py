"""From TOML to conditions, criteria and score tables; every problem is noted with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any as Anything

from policy.conditions import (
    All,
    Any,
    Bound,
    Condition,
    Finding,
    Label,
    Leaf,
    Not,
    ScoreTest,
)
from policy.metrics import Metrics
from policy.problems import Problems
from policy.rules import (
    Bands,
    Best,
    Criterion,
    Each,
    Group,
    Indicator,
    Option,
    Options,
    Points,
    Rule,
    Score,
)

__all__ = ["Reader"]

OPERATORS = ("at_least", "at_most", "above", "below")
ASKS_FOR = {"at_least": 1, "above": 1, "at_most": -1, "below": -1}
LABELS = ("id", "clause", "zh", "en", "papers")
CRITERION = (
    "id",
    "clause",
    "zh",
    "en",
    "test",
    "papers",
    "purposes",
    "applies",
    "exempt",
    "confidence",
    "source",
    "note",
    "document",
)


@dataclass(frozen=True)
class Reader:
    """Reads conditions against the metrics and parameters that exist.

    ``named`` are an edition's own conditions that several criteria use: ``{ use = "name" }``.
    """

    metrics: Metrics
    parameters: frozenset[str]
    problems: Problems
    named: Mapping[str, Anything] = field(default_factory=dict)

    def condition(self, raw: Anything, key: str) -> Condition:
        """Read one condition; a malformed one becomes a finding, so that reading goes on."""
        if not isinstance(raw, Mapping):
            self.problems.add(key, f"A condition must be a table, found {raw!r}.", "See docs.")
            return Finding("")
        if "use" in raw:
            return self._used(raw, key)
        label = _label(raw)
        if "all" in raw or "any" in raw:
            return self._joined(raw, key, label)
        if "not" in raw:
            return Not(self.condition(raw["not"], f"{key}.not"), label)
        if "manual" in raw or "score" in raw:
            return self._open(raw, key, label)
        return self._leaf(raw, key, label)

    def _used(self, raw: Mapping[str, Anything], key: str) -> Condition:
        self.problems.closed(raw, ("use",), key)
        name = raw["use"]
        if name not in self.named:
            known = ", ".join(self.named) or "none"
            self.problems.add(
                f"{key}.use",
                f"{name!r} must be a condition of the edition that does not use itself.",
                f"Known: {known}.",
                "unknown_condition",
            )
            return Finding("")
        rest = {other: made for other, made in self.named.items() if other != name}
        return replace(self, named=rest).condition(self.named[name], f"conditions.{name}")

    def _open(self, raw: Mapping[str, Anything], key: str, label: Label) -> Condition:
        if "manual" in raw:
            self.problems.closed(raw, ("manual", *LABELS), key)
            return Finding(self.problems.text(raw, "manual", key), label)
        self.problems.closed(raw, ("score", "at_least", *LABELS), key)
        bound = self.bound(raw.get("at_least"), f"{key}.at_least", ())
        return ScoreTest(self.problems.text(raw, "score", key), bound, label)

    def _joined(self, raw: Mapping[str, Anything], key: str, label: Label) -> Condition:
        name = "all" if "all" in raw else "any"
        parts = raw[name] if isinstance(raw[name], list) else []
        self.problems.closed(raw, (name, *LABELS), key)
        if not parts:
            self.problems.add(key, f"{name} must list conditions, found none.", "List them.")
            return Finding("")
        read = tuple(self.condition(p, f"{key}.{name}[{i}]") for i, p in enumerate(parts))
        return All(read, label) if name == "all" else Any(read, label)

    def _leaf(self, raw: Mapping[str, Anything], key: str, label: Label) -> Condition:
        name = self.problems.text(raw, "metric", key)
        if name not in self.metrics:
            self.problems.add(
                f"{key}.metric",
                f"{name!r} must be a metric.",
                "Declare it in policy/data/metrics.",
                "unknown_metric",
            )
            return Finding("")
        metric = self.metrics[name]
        ops = [op for op in (*OPERATORS, "one_of", "is") if op in raw]
        self.problems.closed(raw, ("metric", *OPERATORS, "one_of", "is", *LABELS), key)
        if len(ops) != 1:
            self.problems.add(key, f"A test must have one operator, found {ops}.", "Write one.")
            return Finding("")
        op, value = ops[0], raw[ops[0]]
        if op == "is":
            return Leaf(name, "one_of", codes=(float(bool(value)),), label=label)
        if op == "one_of":
            codes = tuple(self._code(code, metric.codes, f"{key}.one_of") for code in value)
            return Leaf(name, "one_of", codes=codes, label=label)
        if metric.direction and metric.direction != ASKS_FOR[op]:
            self.problems.add(
                key,
                f"{name} states direction {metric.direction}, found {op}.",
                "Correct the metric's direction or the test.",
                "direction",
            )
        bound = self.bound(value, f"{key}.{op}", metric.codes)
        return Leaf(name, op, bound, label=label)  # type: ignore[arg-type]

    def bound(self, raw: Anything, key: str, codes: Sequence[str]) -> Bound:
        """Read a threshold: a number, a code of the metric, or a parameter."""
        if isinstance(raw, Mapping):
            name = str(raw.get("param", ""))
            if name not in self.parameters:
                self.problems.add(
                    key,
                    f"{name!r} must be a parameter.",
                    "Declare it in a parameters file.",
                    "unknown_parameter",
                )
            return Bound(param=name)
        if isinstance(raw, str):
            return Bound(self._code(raw, codes, key))
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            self.problems.add(key, f"A threshold must be a number, found {raw!r}.", "Write it.")
            return Bound(0.0)
        return Bound(float(raw))

    def _code(self, code: Anything, codes: Sequence[str], key: str) -> float:
        if code not in codes:
            self.problems.add(key, f"{code!r} must be one of {list(codes)}.", "Correct the code.")
            return -1.0
        return float(codes.index(code))

    def criterion(self, raw: Mapping[str, Anything], key: str, home: tuple[str, str]) -> Criterion:
        """Read a criterion of an edition (``home``: edition id and document)."""
        p, (edition, document) = self.problems, home
        p.closed(raw, CRITERION, key)
        identity = p.text(raw, "id", key)
        if not str(raw.get("clause", "")).strip():
            p.add(f"{key}.clause", "A criterion must cite its clause.", "Write it.", "clause")
        confidence = raw.get("confidence", "H")
        if confidence not in ("H", "M", "L"):
            p.add(f"{key}.confidence", f"confidence must be H, M or L, found {confidence!r}.", "")
        return Criterion(
            f"{edition}:{identity}",
            identity,
            raw.get("document", document),
            str(raw.get("clause", "")),
            p.text(raw, "zh", key),
            p.text(raw, "en", key),
            self.condition(raw.get("test"), f"{key}.test"),
            tuple(raw.get("papers", ())),
            tuple(raw.get("purposes", ("new", "review"))),
            confidence=confidence,
            source=str(raw.get("source", "")),
            note=str(raw.get("note", "")),
            applies=self._optional(raw, "applies", key),
            exempt=self._optional(raw, "exempt", key),
        )

    def _optional(self, raw: Mapping[str, Anything], name: str, key: str) -> Condition | None:
        return self.condition(raw[name], f"{key}.{name}") if name in raw else None

    def score(self, raw: Mapping[str, Anything], key: str) -> Score:
        """Read a score table; the points of an indicator never exceed its maximum."""
        groups = []
        for i, group in enumerate(raw.get("groups", ())):
            at = f"{key}.groups[{i}]"
            lines = [
                self._indicator(line, f"{at}.indicators[{j}]")
                for j, line in enumerate(group.get("indicators", ()))
            ]
            p = self.problems
            most = p.number(group, "max", at)
            if abs(sum(line.most for line in lines) - most) > 1e-9:
                p.add(at, f"The maxima of its indicators must sum to {most:g}.", "Correct them.")
            id_, zh, en = (p.text(group, n, at) for n in ("id", "zh", "en"))
            groups.append(Group(id_, zh, en, most, tuple(lines)))
        return Score(tuple(groups))

    def _indicator(self, raw: Mapping[str, Anything], key: str) -> Indicator:
        p = self.problems
        known = (
            "id",
            "clause",
            "zh",
            "en",
            "max",
            "papers",
            "metric",
            "at_least",
            "at_most",
            "options",
            "otherwise",
            "each",
            "of",
            "best",
            "points",
            "confidence",
            "note",
        )
        p.closed(raw, known, key)
        id_, clause, zh, en = (p.text(raw, n, key) for n in LABELS[:4])
        most = p.number(raw, "max", key)
        rule = self._rule(raw, key)
        return Indicator(
            id_,
            clause,
            zh,
            en,
            most,
            rule,
            tuple(raw.get("papers", ())),
            raw.get("confidence", "H"),
        )

    def _rule(self, raw: Mapping[str, Anything], key: str) -> Rule:
        if "options" in raw:
            options = tuple(
                Option(float(o["points"]), self.condition(o["when"], f"{key}.options[{i}].when"))
                for i, o in enumerate(raw["options"])
            )
            return Options(options, float(raw.get("otherwise", 0.0)))
        if "each" in raw:
            of = tuple(self.condition(c, f"{key}.of[{i}]") for i, c in enumerate(raw["of"]))
            return Each(float(raw["each"]), of)
        if "best" in raw:
            return Best(
                tuple(self._bands(b, f"{key}.best[{i}]") for i, b in enumerate(raw["best"]))
            )
        if "points" in raw:
            name = self.problems.text(raw, "points", key)
            if name not in self.metrics:
                self.problems.add(f"{key}.points", f"{name!r} must be a metric.", "Declare it.")
            return Points(name)
        return self._bands(raw, key)

    def _bands(self, raw: Mapping[str, Anything], key: str) -> Bands:
        name = self.problems.text(raw, "metric", key)
        if name not in self.metrics:
            self.problems.add(
                f"{key}.metric", f"{name!r} must be a metric.", "Declare it.", "unknown_metric"
            )
        op = "at_least" if "at_least" in raw else "at_most"
        codes = self.metrics[name].codes if name in self.metrics else ()
        steps = tuple(
            (self.bound(bound, f"{key}.{op}[{i}]", codes), float(points))
            for i, (bound, points) in enumerate(raw.get(op, ()))
        )
        if not steps:
            self.problems.add(key, "An indicator must have a rule, found none.", "Write bands.")
        return Bands(name, op, steps)  # type: ignore[arg-type]


def _label(raw: Mapping[str, Anything]) -> Label:
    id_, clause, zh, en = (str(raw.get(name, "")) for name in LABELS[:4])
    return Label(id_, clause, zh, en, tuple(raw.get("papers", ())))
