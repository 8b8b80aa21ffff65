"""Name -> plug-in, by file, sub-package or entry point; task and metric look-ups; ours are never shadowed."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Literal

from bench.task import Task

PACKAGES = {
    "task": "tasks",
    "backend": "bench.backends",
    "meter": "bench.meters",
    "metric": "bench.workloads.metrics",
    "plot": "bench.reports.plots",
    "exporter": "bench.reports.exporters",
    "live": "bench.impact.live_intensity",
    "command": "bench.cli",
}

# Names of an earlier version, which answer for one release; `CHANGELOG.md` lists them.
FORMER_NAMES = {
    ("backend", "pretend"): "simulated",
    ("exporter", "codecarbon-2"): "codecarbon",
}


class NameNotFound(ValueError):
    """A name that nothing answers to; the message names the nearest."""


def names(kind: str) -> list[str]:
    """Every name of a kind ("task", "meter", …), ours by file name and others' by entry point."""
    ours = {_spell(path.stem) for path in _folder(kind).iterdir() if _is_plugin(path)}
    return sorted(ours | set(_plugins(kind)))


def load(kind: str, name: str) -> ModuleType:
    """The module behind a name. Raises NotFound, naming the nearest."""
    name = FORMER_NAMES.get((kind, name), name)
    plugins = _plugins(kind)
    if name in plugins:
        return importlib.import_module(plugins[name])
    if name not in names(kind):
        raise NameNotFound(_suggest(kind, name, names(kind)))
    return importlib.import_module(f"{PACKAGES[kind]}.{name.replace('-', '_')}")


def find_task(name: str) -> Task:
    """The task of this id, or of this Hugging Face pipeline tag. Raises NotFound."""
    known = names("task")
    if name not in known:
        by_tag = {tag(other): other for other in known}
        if name not in by_tag:
            raise NameNotFound(_suggest("task", name, [*known, *(t for t in by_tag if t)]))
        name = by_tag[name]
    found: Task = load("task", name).TASK
    return found


def first_docstring_line(kind: str, name: str) -> str:
    """The first line of a module's docstring, read without importing it."""
    tree = _tree(kind, name)
    return (ast.get_docstring(tree) or "").partition("\n")[0] if tree else ""


def tag(name: str) -> str | None:
    """The pipeline tag of a task, read from its source without importing it."""
    for node in ast.walk(_tree("task", name) or ast.Module([], [])):
        if isinstance(node, ast.keyword) and node.arg == "tag":
            return node.value.value if isinstance(node.value, ast.Constant) else None  # type: ignore[return-value]
    return None


def source_text(kind: str, name: str) -> str:
    """The source text of a plug-in, read without importing it; empty where it is not a file."""
    stem = _folder(kind) / name.replace("-", "_")
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""


def _tree(kind: str, name: str) -> ast.Module | None:
    text = source_text(kind, name)
    return ast.parse(text) if text else None


@cache
def _folder(kind: str) -> Path:
    spec = importlib.util.find_spec(PACKAGES[kind])
    if spec is None or not spec.submodule_search_locations:
        return Path("/nonexistent")
    return Path(spec.submodule_search_locations[0])


def _is_plugin(path: Path) -> bool:
    """Whether a file or a sub-package of a plug-in folder is a plug-in: no leading underscore."""
    if path.stem.startswith("_"):
        return False
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def _spell(stem: str) -> str:
    return stem.replace("_", "-")


@cache
def _plugins(kind: str) -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=f"joulebench.{kind}s")}


def _suggest(kind: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.4) or sorted(known)
    return f"there is no {kind} {name!r}; did you mean {', '.join(near)}?"


@lru_cache(maxsize=64)
def known_task(task_id: str) -> Task | None:
    """The task of this id, if this version has it."""
    return find_task(task_id) if task_id in names("task") else None


@lru_cache(maxsize=256)
def known_metric(task_id: str, dataset: str) -> ModuleType | None:
    """The room of the metric that judges this task on a data set, if this version has the task."""
    task = known_task(task_id)
    return load("metric", task.metric_of(dataset).room) if task else None


def quality_direction(task_id: str) -> Literal["higher", "lower"] | None:
    """Which way the quality of a task is better; None for a task that is not known here."""
    try:
        room = find_task(task_id).metric.room
        way: Literal["higher", "lower"] = load("metric", room).BETTER
    except NameNotFound:
        return None
    return way
