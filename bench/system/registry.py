"""Plug-ins by name: a file or sub-package here, or an entry point of another distribution."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import pkgutil
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from bench.task import Task

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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

# The names that a plug-in of each kind has to define.
REQUIRED = {
    "task": ("TASK",),
    "meter": ("build",),
    "metric": ("value", "BETTER"),
    "backend": ("TAGS", "load"),
    "plot": ("draw", "SCOPE"),
    "exporter": ("export", "SUFFIX"),
    "command": ("command", "PANEL"),
}

# Names of an earlier version, accepted for one release; `CHANGELOG.md` lists them.
FORMER_NAMES = {
    ("backend", "pretend"): "simulated",
    ("exporter", "codecarbon-2"): "codecarbon",
    ("plot", "ours-against-published"): "measured-against-published",
}

# Second names of plug-ins.
ALIASES = {("exporter", "opentelemetry"): "openmetrics"}


class NameNotFound(ValueError):
    """No plug-in has this name; the message suggests the nearest names."""


def names(kind: str) -> list[str]:
    """All names of a kind ("task", "meter", …, a key of `PACKAGES`), sorted."""
    return sorted({*_own_names(kind), *_entry_points(kind)})


def load(kind: str, name: str) -> ModuleType:
    """Import the plug-in of this name.

    Raises NameNotFound, with the nearest names, and ValueError where the plug-in lacks a name that
    its kind needs.
    """
    name = (FORMER_NAMES | ALIASES).get((kind, name), name)
    if name in _own_names(kind):
        module = importlib.import_module(f"{PACKAGES[kind]}.{name.replace('-', '_')}")
    elif name in _entry_points(kind):
        module = importlib.import_module(_entry_points(kind)[name].module)
    else:
        raise NameNotFound(_suggest(kind, name, names(kind)))
    missing = [needed for needed in REQUIRED.get(kind, ()) if not hasattr(module, needed)]
    if missing:
        raise ValueError(
            f"the {kind} {name!r} ({module.__name__}) has no {' and no '.join(missing)}"
        )
    return module


def find_task(name: str) -> Task:
    """The task of this id, or of this Hugging Face pipeline tag.

    A tag that several tasks have means the one with an embedded data set, then the first by name.
    Raises NameNotFound, with the nearest names.
    """
    known = names("task")
    if name in known:
        return _import_task(name)
    tags = {other: task_tag(other) for other in known}
    same_tag = [_import_task(other) for other in known if tags[other] == name]
    if not same_tag:
        raise NameNotFound(_suggest("task", name, [*known, *filter(None, tags.values())]))
    return min(same_tag, key=lambda task: ("embedded" not in task.datasets, task.id))


def first_docstring_line(kind: str, name: str) -> str:
    """The first line of a plug-in's docstring, read without importing it; empty without one."""
    tree = ast.parse(source_text(kind, name))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def task_tag(name: str) -> str | None:
    """The pipeline tag of a task, read from its source text without importing it."""
    for node in ast.walk(ast.parse(source_text("task", name))):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "tag"
            and isinstance(node.value, ast.Constant)
        ):
            return str(node.value.value)
    return None


def source_text(kind: str, name: str) -> str:
    """The source text of a plug-in, read without importing it; empty where it is not a file."""
    if name in _own_names(kind):
        stem = _folder(kind) / name.replace("-", "_")
        paths = [stem.with_suffix(".py"), stem / "__init__.py"]
    else:
        paths = [_entry_point_file(kind, name)]
    return next((path.read_text(encoding="utf-8") for path in paths if path.is_file()), "")


@lru_cache(maxsize=64)
def known_task(task_id: str) -> Task | None:
    """The task of this id; None where this installation does not have it."""
    return find_task(task_id) if task_id in names("task") else None


@lru_cache(maxsize=256)
def known_metric(task_id: str, dataset: str) -> ModuleType | None:
    """The metric module for a task on a data set; None where the task is not installed."""
    task = known_task(task_id)
    return load("metric", task.metric_of(dataset).module) if task else None


def quality_direction(task_id: str) -> Literal["higher", "lower"] | None:
    """Whether higher or lower quality values of a task are better; None for an unknown task."""
    try:
        direction: Literal["higher", "lower"] = load(
            "metric", find_task(task_id).metric.module
        ).BETTER
    except NameNotFound:
        return None
    return direction


def _import_task(name: str) -> Task:
    task: Task = load("task", name).TASK
    return task


def _folder(kind: str) -> Path:
    """The folder of a plug-in package."""
    spec = importlib.util.find_spec(PACKAGES[kind])
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {PACKAGES[kind]} is not installed")
    return Path(spec.submodule_search_locations[0])


@cache
def _own_names(kind: str) -> frozenset[str]:
    """The plug-ins of this distribution: file names, with hyphens for underscores."""
    modules = [module.name for module in pkgutil.iter_modules([str(_folder(kind))])]
    return frozenset(name.replace("_", "-") for name in modules if not name.startswith("_"))


@cache
def _entry_points(kind: str) -> dict[str, EntryPoint]:
    """Plug-ins of other distributions by name, from the group `joulebench.<kind>s`.

    An entry point named like a plug-in of JouleBench, or like an earlier one, is ignored with
    one line of warning that names its distribution.
    """
    import logging
    from importlib.metadata import entry_points

    plugins: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"joulebench.{kind}s"):
        distribution = _distribution(point)
        owner = _distribution(plugins[point.name]) if point.name in plugins else ""
        if _is_reserved(kind, point.name):
            owner = "joulebench"
        if owner:
            logging.getLogger("joulebench").warning(
                f"joulebench: {kind} {point.name!r} of {distribution} is ignored: {owner} has one "
                f"of this name; rename the entry point in {distribution}"
            )
        else:
            plugins[point.name] = point
    return plugins


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unknown distribution"


def _is_reserved(kind: str, name: str) -> bool:
    """Whether JouleBench uses a name: for a plug-in, as a former name, or as the tag of a task."""
    if name in _own_names(kind) or (kind, name) in FORMER_NAMES | ALIASES:
        return True
    return kind == "task" and any(name == task_tag(own) for own in _own_names("task"))


def _entry_point_file(kind: str, name: str) -> Path:
    """The source file of an entry point; a path that does not exist where it has none."""
    point = _entry_points(kind).get(name)
    try:
        spec = importlib.util.find_spec(point.module) if point else None
    except ImportError:
        spec = None
    return Path(spec.origin if spec and spec.origin else "/nonexistent")


def _suggest(kind: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.4) or sorted(known)
    return f"there is no {kind} {name!r}; did you mean {', '.join(near)}?"
