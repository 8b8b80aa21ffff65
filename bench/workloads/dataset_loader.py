"""Data set -> workload: what ships with the package, what the hub has, what lies in a folder."""

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
    """A data set that can't be had; the message is one sentence that names the way out."""


def load_dataset_workload(
    task: Task, name: str, chosen: Mapping[str, Setting] | None = None
) -> Workload:
    """The workload of a task on a data set: one of the task's own, or a path.

    `chosen` parameters take the place of the data set's own: other work, with another fingerprint.
    Raises DataNotFound where there is none, it can't be reached, or no row fits the task.
    """
    source = task.datasets.get(name)
    like = source or task.datasets.get("standard")
    parameters = {**(like.parameters if like else {}), **(chosen or {})}
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
    """The first rows of a hub data set, and the commit they came from."""
    from datasets import load_dataset

    way_out = "give --dataset embedded or a path to a local file"
    try:
        commit = hub.resolve_commit(source.repository, source.revision, kind="dataset")
        reached = hub.is_reachable(source.repository, commit, "dataset")
        with nullcontext() if reached else hub.offline():
            table = load_dataset(
                source.repository,
                source.configuration,
                split=source.split,
                revision=commit,
                data_files={source.split: source.file} if source.file else None,
            )
    except hub.HubUnavailable as error:
        raise DatasetNotFound(f"{error}; {way_out}") from error
    except Exception as error:
        # datasets raises what its readers raise; whatever it was, there are no rows.
        reason = hub.error_sentence(error, source.repository, "dataset", source.revision)
        raise DatasetNotFound(f"{reason}; {way_out}") from error
    if not all(commit in file["filename"] for file in table.cache_files):
        # Without the hub, datasets takes the copy that it got last, whichever was asked for.
        raise DatasetNotFound(
            f"the hub can't be reached, and the copy of {source.repository} here is not of "
            f"{commit[:8]}; {way_out}"
        )
    return _rows(table, None), commit


def _from_path(path: Path) -> Iterable[Row]:
    """The rows of a local file (jsonl, csv, parquet, txt) or of a data set folder."""
    from datasets import load_dataset, load_from_disk

    if path.is_file() and path.suffix not in FORMATS:
        raise DatasetNotFound(f"{path} is none of {', '.join(FORMATS)}")
    try:
        if path.is_file():
            table = load_dataset(FORMATS[path.suffix], data_files=str(path), split="train")
        elif (path / "dataset_info.json").exists():
            table = load_from_disk(str(path))
        else:
            table = load_dataset(str(path), split="train")
    except Exception as error:
        why = _first_line(error)
        if isinstance(error.__cause__, ImportError):
            why = "for sounds, give a jsonl file whose column 'audio' names their files"
        raise DatasetNotFound(f"{path} can't be read as a data set: {why}") from error
    return _rows(table, path if path.is_dir() else path.parent)


def _rows(table: Any, folder: Path | None) -> Iterator[Row]:
    """Rows, one by one, with names for class numbers; names of files count from `folder`.

    Sounds stay as they are stored until they are asked for: `datasets` would need torchcodec.
    """
    from datasets import Audio

    for column, feature in table.features.items():
        if isinstance(feature, Audio):
            table = table.cast_column(column, Audio(decode=False))
    for row in table:
        named = {name: _named(row[name], kind) for name, kind in table.features.items()}
        yield media.MediaRow(named, folder)


def _named(value: Any, feature: Any) -> Any:
    """A value with class numbers turned into the names that the data set gives them, also in lists
    and groups; a row without a class keeps its number."""
    if hasattr(feature, "int2str"):
        return feature.int2str(value) if value is not None and value >= 0 else value
    inner = getattr(feature, "feature", None)
    if isinstance(value, list) and inner is not None:
        return [_named(one, inner) for one in value]
    if isinstance(value, dict) and isinstance(feature, dict):
        return {name: _named(one, feature[name]) for name, one in value.items()}
    return value


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
