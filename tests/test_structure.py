"""The shape of the house: sizes, imports, names and where input and output happen."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tidu", "policy", "features", "model", "serving", "city")

MODULE_LINES = 300
FUNCTION_LINES = 60  # the aim is 40

# Modules that read and write files, and why; everything else takes values and returns values.
# A name ending in ".*" stands for a package's modules.
MAY_DO_IO = {
    "city.files": "the city's tables as the files that a user would bring",
    "city.lock": "writes the lock of the city's parameters",
    "city.parameters": "the city's parameters are data, in a TOML file of the package",
    "features.mapping_fields": "a mapping is a file that the user writes",
    "features.mapping_build": "a mapping is a file that the user writes",
    "features.reading": "users' files",
    "features.reading_csv": "users' files",
    "features.schema": "the column register is data, in TOML files of the package",
    "features.template": "the workbook that users fill in",
    "features.vault": "the history of imports",
    "features.workbook": "users' files",
    "features.workbook_scan": "users' files",
    "model.bundle": "what a training run leaves",
    "model.editions": "the abolished routes are data, in a TOML file of the package",
    "model.fairness_groups": "the dimensions are data, in a TOML file of the package",
    "model.probe": "the child process that loads a bundle first, and answers on standard output",
    "model.report": "the page of the report is a template of the package",
    "model.tasks": "the tasks are data, in a TOML file of the package",
    "policy.plan.files": "the plans are data, in TOML files of the package and of the city",
    "policy.papers.letter": "the words and the page of the letter are files of the package",
    "policy.papers.catalogue": "the papers are data, in a TOML file of the package",
    "policy.loading": "the law is data, in TOML files of the package, and the city's own file",
    "policy.release": "writes the lock of released files",
    "policy.path.changes_reading": "what a firm can change in a year is data of the package",
    "serving.*": "the edge: store, snapshots, HTTP, command line",
}

# Calls that open, read or write something outside the process.
IO_NAMES = {"open", "input", "print"}
IO_METHODS = {
    "mkdir", "open", "read_bytes", "read_csv", "read_excel", "read_feather", "read_parquet",
    "read_table", "read_text", "rmdir", "savefig", "symlink_to", "to_csv", "to_excel",
    "to_feather", "to_parquet", "touch", "unlink", "urlopen", "write_bytes", "write_table",
    "write_text",
}  # fmt: skip
IO_MODULES = {
    "fcntl", "gzip", "http", "mmap", "requests", "shutil", "socket", "sqlite3", "subprocess",
    "tempfile", "urllib", "zipfile",
}  # fmt: skip

# Nothing stored may run code when it is read, nor depend on where a class lives.
FORBIDDEN = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}

ABSOLUTE = re.compile(r"^(?:/(?:bin|etc|home|media|mnt|opt|root|srv|tmp|usr|var|work)/|[A-Z]:\\)")


def modules() -> list[str]:
    """Name the modules of the packages (migrations are scripts of Alembic, no modules)."""
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def source(name: str) -> str:
    return (ROOT / name.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(source(name))


def imports(name: str) -> Iterator[tuple[str, int]]:
    """Yield the first part of what a module imports, functions included, with the line."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno


def covers(allowed: str, name: str) -> bool:
    return name == allowed or (allowed.endswith(".*") and name.startswith(allowed[:-1]))


def may_do_io(name: str) -> bool:
    return any(covers(allowed, name) for allowed in MAY_DO_IO)


ALL = modules()


@pytest.mark.parametrize("name", ALL)
def test_a_module_has_one_subject_and_says_which(name: str) -> None:
    lines = source(name).count("\n")
    assert lines <= MODULE_LINES, (
        f"{name}: {lines} lines, at most {MODULE_LINES}; split its subject"
    )
    docstring = ast.get_docstring(tree(name))
    assert docstring, f"{name}: no docstring"


@pytest.mark.parametrize("name", ALL)
def test_a_function_fits_on_a_screen(name: str) -> None:
    long = [
        f"{node.name} (line {node.lineno}): {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, f"{name}: at most {FUNCTION_LINES} lines per function (aim: 40): {long}"


@pytest.mark.parametrize("name", [n for n in ALL if not n.endswith(("__init__", "__main__"))])
def test_a_module_names_what_it_offers(name: str) -> None:
    """`__all__` exists and names real things; ruff (RUF022) keeps it sorted."""
    body = tree(name).body
    lists = [
        node.value
        for node in body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    ]
    assert len(lists) == 1, f"{name}: one __all__ at the top"
    offered = ast.literal_eval(lists[0])
    defined = {
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
    assert set(offered) <= defined, f"{name}: __all__ names {set(offered) - defined}"
    assert len(set(offered)) == len(offered), f"{name}: __all__ names something twice"


@pytest.mark.parametrize("name", ALL)
def test_input_and_output_happen_in_the_named_modules_only(name: str) -> None:
    if may_do_io(name):
        return
    found = [f"line {line}: import {what}" for what, line in imports(name) if what in IO_MODULES]
    for node in ast.walk(tree(name)):
        if not isinstance(node, ast.Call):
            continue
        call = node.func
        if (isinstance(call, ast.Name) and call.id in IO_NAMES) or (
            isinstance(call, ast.Attribute) and call.attr in IO_METHODS
        ):
            found.append(f"line {node.lineno}: {ast.unparse(call)}(…)")
    assert not found, (
        f"{name} does input or output: {found}. Move it to a module of MAY_DO_IO "
        "(tests/test_structure.py), or add the module there with the reason."
    )


def test_the_list_of_modules_with_input_and_output_is_true() -> None:
    gone = [name for name in MAY_DO_IO if not any(covers(name, n) for n in ALL)]
    assert not gone, f"MAY_DO_IO names modules that do not exist: {gone}"


@pytest.mark.parametrize("name", ALL)
def test_nothing_stored_can_run_code(name: str) -> None:
    found = [f"line {line}: {what}" for what, line in imports(name) if what in FORBIDDEN]
    assert not found, f"{name} imports {found}; save as text, JSON or Parquet"


@pytest.mark.parametrize("name", [n for n in ALL if n != "model.boosters"])
def test_only_boosters_calls_lightgbm(name: str) -> None:
    found = [f"line {line}" for what, line in imports(name) if what == "lightgbm"]
    assert not found, f"{name} imports lightgbm ({found}); ask model.boosters"


@pytest.mark.parametrize("name", ALL)
def test_no_path_of_one_machine(name: str) -> None:
    found = [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and ABSOLUTE.match(node.value)
    ]
    assert not found, f"{name}: {found}; pass paths as arguments"


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_a_lock_is_hashed_and_names_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][^ \n]*==[^\n]*", text, flags=re.MULTILINE)
    assert pins
    assert all(pin.endswith("\\") for pin in pins), "a pin without hashes"
    assert not re.search(r"://|^-", text, flags=re.MULTILINE)
    assert not re.search(r"^(nvidia|cuda|triton)", text, flags=re.MULTILINE)


def test_both_locks_hold_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][^ \n]*==[^\\\n]*", text, flags=re.MULTILINE))

    assert pins("run.txt") <= pins("dev.txt")


def loaded(module: str, names: set[str]) -> list[str]:
    """Import `module` in a process of its own and say which of `names` came along.

    In this process the question would prove nothing: other tests import what they need.
    """
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} does not exist yet")
    code = f"import sys, {module}; print(*sorted({names!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("module", ["serving.app", "serving.cli"])
def test_the_service_starts_without_the_libraries_of_training(module: str) -> None:
    assert loaded(module, {"matplotlib", "mlflow", "shap", "sklearn"}) == []


def test_the_command_line_answers_before_the_libraries_of_numbers_load() -> None:
    """`tidu --help` in 0.3 s (design §9) leaves no time to import pandas or LightGBM."""
    assert loaded("serving.cli", {"lightgbm", "pandas", "pyarrow", "scipy"}) == []
