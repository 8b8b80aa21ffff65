"""docs/architecture.md agrees with the code; rules on packages, class names and file lengths."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = {
    "analysis",
    "backends",
    "cli",
    "impact",
    "leaderboard",
    "meters",
    "reports",
    "results",
    "runner",
    "system",
    "tracker",
    "workloads",
}
LONGEST_FILE = 300  # lines; a longer file states its reason in its first line
ITEM = re.compile(r"^(\d+\.|-) `([\w/]+\.py): ([\w.]+)`(.*)$", re.MULTILINE)


class Item(NamedTuple):
    """One line of a list: a function of a file; `protocol` where a protocol call leads onward."""

    file: str
    function: str
    protocol: bool


def items(heading: str, numbered: bool) -> list[Item]:
    """The lines `file: function` below a heading: the numbered main line, or the others."""
    section = re.search(rf"^### {re.escape(heading)}$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.S)
    assert section, f"docs/architecture.md has no section {heading!r}"
    return [
        Item(file, function, "→" in rest)
        for mark, file, function, rest in ITEM.findall(section.group(1))
        if (mark != "-") == numbered
    ]


READING = "One energy reading, from the driver to the terminal"
SUBMISSION = "One submission, from the file to its rank on the page"
OPTION = "Adding a run option"
MAIN_LINES = {READING: items(READING, True), SUBMISSION: items(SUBMISSION, True)}
ALL_ITEMS = [
    item
    for heading in (READING, SUBMISSION, OPTION)
    for numbered in (True, False)
    for item in items(heading, numbered)
]
NEIGHBOURS = [pair for line in MAIN_LINES.values() for pair in pairwise(line)]


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def module_name(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_modules(file: str) -> set[str]:
    """Every module that a file imports, also inside functions, and every name out of a module."""
    modules: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    return modules


def calls_method(file: str, function: str) -> bool:
    """Whether a file calls a method of this name on some object."""
    name = function.rpartition(".")[2]
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        for node in ast.walk(tree(file))
    )


@pytest.mark.parametrize("item", ALL_ITEMS, ids=lambda item: f"{item.file}:{item.function}")
def test_listed_function_exists(item: Item) -> None:
    body: list[ast.stmt] = tree(item.file).body
    for name in item.function.split("."):
        named = [
            node
            for node in body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
        ]
        assert named, f"{item.file} does not define {item.function}"
        body = named[0].body


@pytest.mark.parametrize(
    ("first", "second"), NEIGHBOURS, ids=[f"{a.file}-{b.file}" for a, b in NEIGHBOURS]
)
def test_neighbours_import_or_call_each_other(first: Item, second: Item) -> None:
    if first.protocol:
        assert calls_method(second.file, first.function) or calls_method(
            first.file, second.function
        )
        return
    assert module_name(second.file) in imported_modules(first.file) or module_name(
        first.file
    ) in imported_modules(second.file)


def test_energy_reading_passes_ten_files_and_sixteen_in_all() -> None:
    main = {item.file for item in items(READING, True)}
    others = {item.file for item in items(READING, False)}
    assert 5 < len(main) <= 10
    assert len(main | others) <= 16


def test_submission_passes_fifteen_files() -> None:
    assert 5 < len({item.file for item in items(SUBMISSION, True)}) <= 15


def test_run_option_needs_three_files_besides_tests() -> None:
    files = {item.file for item in items(OPTION, True)}
    assert 1 <= len(files) <= 3
    assert not any(file.startswith("tests/") for file in files)


def test_package_listing_has_the_dozen_packages_and_nothing_loose() -> None:
    entries = {path.name for path in (ROOT / "bench").iterdir() if path.name != "__pycache__"}
    assert entries == PACKAGES | {"__init__.py", "__main__.py", "task.py"}


def test_page_names_every_package() -> None:
    listed = set(re.findall(r"`bench/(\w+)`", PAGE))
    assert listed >= PACKAGES


def test_page_names_existing_files_only() -> None:
    files = set(re.findall(r"`((?:bench|tasks|tests|tools|docs)/[\w/.-]+\.\w+)`", PAGE))
    missing = sorted(file for file in files if "my" not in file and not (ROOT / file).is_file())
    assert not missing


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_public_class_names_are_unique() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in python_files("bench"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    repeated = {name: files for name, files in places.items() if len(files) > 1}
    assert not repeated


def test_long_file_states_its_reason_in_its_first_line() -> None:
    without_reason = []
    for path in python_files("bench", "tasks"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST_FILE and f"over {LONGEST_FILE} lines" not in lines[0]:
            without_reason.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
    assert not without_reason
