"""Data set -> workload: what ships with the package, what the hub has, what lies in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import embedded, hub
from bench.task import Embedded, Hub, Row, Task, Workload, workload

FORMATS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet", ".txt": "text"}


class DataNotFound(ValueError):
    """A data set that can't be had; the message is one sentence that names the way out."""


def load(task: Task, name: str) -> Workload:
    """The workload of a task on a data set: one of the task's own, or a path.

    Raises DataNotFound where there is none, it can't be reached, or no row fits the task.
    """
    source = task.datasets.get(name)
    try:
        if isinstance(source, Embedded):
            return workload(task, name, embedded.rows(source.file), source.parameters)
        if isinstance(source, Hub):
            rows, revision = _from_hub(source)
            return workload(task, name, rows, source.parameters, revision, source.rows)
        if Path(name).exists():
            standard = task.datasets.get("standard")
            parameters = standard.parameters if standard else {}
            return workload(task, Path(name).name, _from_path(Path(name)), parameters)
    except DataNotFound:
        raise
    except KeyError as error:
        raise DataNotFound(
            f"the rows of {name!r} have no column {error}, which {task.id} needs"
        ) from error
    except ValueError as error:
        raise DataNotFound(str(error)) from error
    known = ", ".join(task.datasets) or "none of its own"
    raise DataNotFound(f"there is no data set {name!r}: {task.id} has {known}; or give a path")


def _from_hub(source: Hub) -> tuple[Iterable[Row], str]:
    """The first rows of a hub data set, and the commit they came from."""
    from datasets import load_dataset

    way_out = "give --dataset embedded or a path to a local file"
    try:
        commit = hub.commit(source.repository, source.revision, kind="dataset")
        table = load_dataset(
            source.repository, source.configuration, split=source.split, revision=commit
        )
    except hub.Unreachable as error:
        raise DataNotFound(f"{error}; {way_out}") from error
    except Exception as error:
        # datasets raises what its readers raise; whatever it was, there are no rows.
        reason = hub.why(error, source.repository, "dataset", source.revision)
        raise DataNotFound(f"{reason}; {way_out}") from error
    if not all(commit in file["filename"] for file in table.cache_files):
        # Without the hub, datasets takes the copy that it got last, whichever was asked for.
        raise DataNotFound(
            f"the hub can't be reached, and the copy of {source.repository} here is not of "
            f"{commit[:8]}; {way_out}"
        )
    return _named(table), commit


def _from_path(path: Path) -> Iterable[Row]:
    """The rows of a local file (jsonl, csv, parquet, txt) or of a data set folder."""
    from datasets import load_dataset, load_from_disk

    if path.is_file() and path.suffix not in FORMATS:
        raise DataNotFound(f"{path} is none of {', '.join(FORMATS)}")
    try:
        if path.is_file():
            table = load_dataset(FORMATS[path.suffix], data_files=str(path), split="train")
        elif (path / "dataset_info.json").exists():
            table = load_from_disk(str(path))
        else:
            table = load_dataset(str(path), split="train")
    except Exception as error:
        raise DataNotFound(f"{path} can't be read as a data set: {_first_line(error)}") from error
    return _named(table)


def _named(table: Any) -> Iterator[Row]:
    """Rows, one by one, with class numbers turned into the names that the data set gives them."""
    naming = {
        column: feature.int2str
        for column, feature in table.features.items()
        if hasattr(feature, "int2str")
    }
    for row in table:
        known = {column: row[column] for column in naming if row[column] >= 0}
        yield {**row, **{column: naming[column](number) for column, number in known.items()}}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
