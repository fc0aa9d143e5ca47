"""The law's files read [I/O]: parsed, checked against each other and against the lock of releases.

``load`` refuses everything that is wrong at once: a released file that changed, dates that overlap,
a metric nobody knows, a clause that is missing; each problem with its file and key. ``law_of`` does
the same of files that stand elsewhere: a snapshot carries those it was judged by.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from policy import assembly
from policy.city_file import check_city, read_city
from policy.law import Law
from policy.metrics import Metrics, declared
from policy.parsing import Reader
from policy.problems import Problems
from policy.rules import Edition
from tidu.digest import of_json

__all__ = ["DATA", "LOCK", "digests", "law_of", "load", "standing"]

DATA = Path(__file__).resolve().parent / "data"
LOCK = "released.toml"
SIZES = "size_classes.toml"
CITY = "city"
"""The city's own file among the content of a law; every other name ends in ``.toml``."""
LOCKED = ("documents", "exclusions", "selector", "size_classes", "metrics/", "editions/")


@cache
def standing() -> Law:
    """The law as it ships, read once."""
    return load()


def load(city: Path | None = None, data: Path = DATA) -> Law:
    """Read all files below ``data`` and the city's file, if it has one."""
    content = {p.relative_to(data).as_posix(): p.read_bytes() for p in sorted(data.rglob("*.toml"))}
    if city is not None and city.exists():
        content[CITY] = city.read_bytes()
    return law_of(content, str(city))


def law_of(content: Mapping[str, bytes], city: str = CITY) -> Law:
    """Put the law together from its files by name; ``city`` is what the city's file is called."""
    problems = Problems("")
    files = _parsed({name: c for name, c in content.items() if name != CITY}, problems)
    _check_lock(files, problems)
    tables = {name: tables for name, (_, tables) in files.items()}
    documents = {
        k: assembly.document(k, v, problems.at(f))
        for f, k, v in _all(tables, "documents", problems)
    }
    sizes, trades = assembly.sizes(tables.get(SIZES, {}), problems.at(SIZES))
    metrics = _metrics(tables, {"trade()": tuple(trades)}, problems)
    of_city = problems.at(city)
    settings, batches = read_city(content.get(CITY), of_city)
    parameters = {
        k: assembly.parameter(k, v, problems.at(f), settings)
        for f, k, v in _all(tables, "parameters", problems)
    }
    groups = {k: (f, g) for f, k, g in _all(tables, "exclusions", problems, "groups")}
    editions: dict[str, Edition] = {}
    for file, table in assembly.of(tables, "editions/"):
        reader = Reader(metrics, frozenset(parameters), problems.at(file))
        edition = assembly.edition(table, reader, groups)
        assembly.check_documents(edition, documents, problems.at(file))
        if "papers.toml" in tables:
            assembly.check_papers(edition, tables["papers.toml"], problems.at(file))
        if edition.id in editions:
            reader.problems.add("id", f"{edition.id!r} must be given once.", "Rename one.")
        editions[edition.id] = edition
    uses = assembly.uses(tables, editions, problems)
    check_city(settings, batches, (parameters, {use.tier for use in uses}), of_city)
    problems.refuse("All files of the law")
    identity = {name: digest for name, (digest, _) in files.items()}
    if CITY in content:
        identity[CITY] = hashlib.sha256(content[CITY]).hexdigest()
    return Law(
        documents,
        metrics,
        parameters,
        editions,
        tuple(uses),
        sizes,
        trades,
        settings,
        tuple(batches),
        of_json(identity)[:16],
        dict(content),
    )


def digests(data: Path = DATA) -> dict[str, str]:
    """The sha256 of every file that a release locks."""
    return {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*.toml"))
        if path.relative_to(data).as_posix().startswith(LOCKED)
    }


def _parsed(
    content: Mapping[str, bytes], problems: Problems
) -> dict[str, tuple[str, dict[str, Any]]]:
    found = {}
    for name, text in content.items():
        try:
            table = tomllib.loads(text.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.at(name).add(
                "", f"A file must be TOML in UTF-8, found: {error}.", "Correct it."
            )
            continue
        found[name] = (hashlib.sha256(text).hexdigest(), table)
    return found


def _check_lock(files: Mapping[str, tuple[str, dict[str, Any]]], problems: Problems) -> None:
    locked = files.get(LOCK, ("", {}))[1].get("files", {})
    for name, digest in locked.items():
        found = files[name][0] if name in files else "no file"
        if found != digest:
            problems.at(name).add(
                "",
                f"A released file must hash to {digest[:12]}, found {found[:12]}.",
                "Restore it; a new rule is a new file.",
                "changed",
            )
    for name in files:
        if name.startswith(LOCKED) and name not in locked:
            problems.at(name).add(
                "",
                "A file of the law must be in the lock, found it outside.",
                "Release it: python -m policy.release.",
                "unlocked",
            )


def _metrics(
    tables: Mapping[str, dict[str, Any]], coded: Mapping[str, tuple[str, ...]], problems: Problems
) -> Metrics:
    read = (
        declared(key, raw, problems.at(file), coded)
        for file, key, raw in _all(tables, "metrics/", problems)
    )
    return Metrics({metric.name: metric for metric in read if metric is not None})


def _all(
    tables: Mapping[str, dict[str, Any]], start: str, problems: Problems, part: str = ""
) -> Iterable[tuple[str, str, Any]]:
    """What the files of a kind declare, or a part of them; a name twice is a problem."""
    homes: dict[str, str] = {}
    for file, table in assembly.of(tables, start):
        for key, value in (table.get(part, {}) if part else table).items():
            if key in homes:
                problems.at(file).add(
                    f"{part}.{key}".lstrip("."),
                    f"{key!r} must be given once, found it in {homes[key]} as well.",
                    "Rename one.",
                    "twice",
                )
            homes[key] = file
            yield file, key, value
