"""Loads the workload of a task from an embedded data set, the hub, a local file or a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench.task import Embedded, Hub, Row, Setting, Task
from bench.workloads import embedded, hub, media
from bench.workloads.workload import Workload, build_workload

FORMATS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet", ".txt": "text"}


class DatasetNotFound(ValueError):
    """A data set that cannot be used; the message is one sentence with a remedy."""


def load_dataset_workload(
    task: Task, name: str, overrides: Mapping[str, Setting] | None = None
) -> Workload:
    """The workload of a task on a data set: one that the task lists, or a path.

    `overrides` replace parameters of the data set, which changes the fingerprint. Raises
    DatasetNotFound where it does not exist, cannot be reached, or has no usable row.
    """
    source = task.datasets.get(name)
    profile = source or task.datasets.get("standard")
    parameters = {**(profile.parameters if profile else {}), **(overrides or {})}
    try:
        if isinstance(source, Embedded):
            return build_workload(task, name, embedded.rows(source.file), parameters)
        if isinstance(source, Hub):
            rows, revision = _from_hub(source)
            return build_workload(task, name, rows, parameters, revision, source.rows)
        if Path(name).exists():
            return build_workload(task, Path(name).name, _from_path(Path(name)), parameters)
    except DatasetNotFound:
        raise
    except KeyError as error:
        raise DatasetNotFound(
            f"the rows of {name!r} have no column {error}, which {task.id} needs"
        ) from error
    except ValueError as error:
        raise DatasetNotFound(str(error)) from error
    known = ", ".join(task.datasets) or "none of its own"
    raise DatasetNotFound(f"there is no data set {name!r}: {task.id} has {known}; or give a path")


def _from_hub(source: Hub) -> tuple[Iterable[Row], str]:
    """The rows of a hub data set, and their commit."""
    from datasets import load_dataset

    remedy = "give --dataset embedded or a path to a local file"
    try:
        commit = hub.resolve_commit(source.repository, source.revision, kind="dataset")
        is_online = hub.is_reachable(source.repository, commit, "dataset")
        with nullcontext() if is_online else hub.offline():
            table = load_dataset(
                source.repository,
                source.configuration,
                split=source.split,
                revision=commit,
                data_files={source.split: source.file} if source.file else None,
            )
    except hub.HubUnavailable as error:
        raise DatasetNotFound(f"{error}; {remedy}") from error
    except Exception as error:
        # datasets passes on the exceptions of many readers; all mean no rows.
        reason = hub.error_sentence(error, source.repository, "dataset", source.revision)
        raise DatasetNotFound(f"{reason}; {remedy}") from error
    if not all(commit in file["filename"] for file in table.cache_files):
        # Without the hub, datasets uses its latest local copy, whatever its commit.
        raise DatasetNotFound(
            f"the hub cannot be reached, and the local copy of {source.repository} is not of "
            f"{commit[:8]}; {remedy}"
        )
    return _rows(table, None), commit


def _from_path(path: Path) -> Iterable[Row]:
    """The rows of a local file (jsonl, csv, parquet, txt) or of a data set folder."""
    from datasets import load_dataset, load_from_disk

    if path.is_file() and path.suffix not in FORMATS:
        raise DatasetNotFound(f"{path} is not one of {', '.join(FORMATS)}")
    try:
        if path.is_file():
            table = load_dataset(FORMATS[path.suffix], data_files=str(path), split="train")
        elif (path / "dataset_info.json").exists():
            table = load_from_disk(str(path))
        else:
            table = load_dataset(str(path), split="train")
    except Exception as error:
        reason = hub.first_line(error)
        if isinstance(error.__cause__, ImportError):
            reason = "for sounds, give a jsonl file whose column 'audio' names their files"
        raise DatasetNotFound(f"{path} cannot be read as a data set: {reason}") from error
    return _rows(table, path if path.is_dir() else path.parent)


def _rows(table: Any, folder: Path | None) -> Iterator[Row]:
    """Rows with names in place of class numbers; file names are relative to `folder`.

    Sounds are decoded on access by `MediaRow`, as `datasets` would need torchcodec.
    """
    from datasets import Audio

    for column, feature in table.features.items():
        if isinstance(feature, Audio):
            table = table.cast_column(column, Audio(decode=False))
    for row in table:
        values = {name: _class_names(row[name], kind) for name, kind in table.features.items()}
        yield media.MediaRow(values, folder)


def _class_names(value: Any, feature: Any) -> Any:
    """A value with class names of the data set in place of class numbers, also when nested.

    A missing class, None or -1, stays as it is.
    """
    if hasattr(feature, "int2str"):
        return feature.int2str(value) if value is not None and value >= 0 else value
    inner = getattr(feature, "feature", None)
    if isinstance(value, list) and inner is not None:
        return [_class_names(item, inner) for item in value]
    if isinstance(value, dict) and isinstance(feature, dict):
        return {name: _class_names(item, feature[name]) for name, item in value.items()}
    return value
