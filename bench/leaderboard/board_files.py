"""Leaderboard.json and its schema, .csv; writes all forms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from bench.impact.facts import published
from bench.leaderboard import board_row, site
from bench.leaderboard import site as site_pages
from bench.leaderboard.board_row import CLOSED, BoardRow, BoardSources, head
from bench.leaderboard.markdown import board_markdown
from bench.leaderboard.ranking import Board, RankedEntry, RankedGroup, TaskBoard, placement
from bench.results import storage


def board_json(board: Board) -> dict[str, Any]:
    """The board as plain JSON values (`form.Board`)."""
    found: dict[str, Any] = json.loads("".join(board_json_lines(board)))
    return found


def board_json_lines(board: Board) -> Iterator[str]:
    """The text of leaderboard.json in pieces, so that it never lies in memory whole."""
    yield f"{_text(head())[:-1]},\n"
    yield '"tasks":['
    for number, task in enumerate(board.tasks):
        yield from (",\n" if number else "\n", *_task(task))
    yield "],\n"
    yield '"published":['
    yield from _listed(_study(study) for study in published.STUDIES)
    yield "]}\n"


def _task(task: TaskBoard) -> Iterator[str]:
    yield f'{{"id":{_text(task.task_id)},"unit":{_text(task.unit)},"groups":['
    for number, group in enumerate(task.groups):
        yield ",\n" if number else "\n"
        yield from _group(group)
    yield '],"listed":['
    yield from _listed(_row(row) for row in task.listed)
    yield "]}"


def _group(group: RankedGroup) -> Iterator[str]:
    equals = group.equals
    about = {
        "boundary": equals.boundary,
        "devices": sorted(set(equals.devices)),
        "dataset": equals.dataset,
        "fingerprint": equals.fingerprint,
    }
    yield f'{_text(about)[:-1]},"rows":['
    yield from _listed(_row(row) for row in group.rows)
    yield "]}"


def _row(row: RankedEntry) -> str:
    # The facts are text already: the place goes in front of them.
    return f"{_text(placement(row))[:-1]},{row.entry.row[1:]}"


def _study(study: published.Study) -> str:
    about = {
        name: getattr(study, name)
        for name in ("key", "title", "boundary", "precision", "engine", "source", "source_url")
    }
    about |= {"licence": study.licence, "caveat": study.caveat}
    rows = (_text(_published(row)) for row in published.rows() if row.study == study)
    return f'{_text(about)[:-1]},"rows":[{"".join(_listed(rows))}]}}'


def _published(row: published.PublishedFigure) -> PublishedRow:
    return {
        "task": row.task,
        "model": row.model,
        "model_class": row.model_class,
        "energy_kwh_per_1000": row.energy_kwh_per_1000,
        "gpu": row.gpu,
        "gpu_count": row.gpu_count,
        "batch_size": row.batch_size,
        "steps": row.steps,
        "new_tokens": row.new_tokens,
        "workload": row.workload,
        "stars": row.stars,
    }


def _listed(items: Iterable[str]) -> Iterator[str]:
    for number, item in enumerate(items):
        yield f",\n{item}" if number else f"\n{item}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_board(board: Board, results_dir: Path) -> tuple[Path, ...]:
    """Write leaderboard.json, .csv, .md and the site under a results folder; gives the files."""
    storage.write_parts(results_dir / "leaderboard.json", board_json_lines(board))
    storage.write_parts(results_dir / "leaderboard.csv", csv_lines(board))
    storage.write_text(results_dir / "leaderboard.md", board_markdown(board))
    site_pages.write_site(site.parts(board), site.shared(board), results_dir / "site")
    names = ("leaderboard.json", "leaderboard.csv", "leaderboard.md", "site/index.html")
    return tuple(results_dir / name for name in names)


def csv_lines(board: Board) -> Iterator[str]:
    """The board as csv, line by line."""
    yield board_row.HEAD
    for task in board.tasks:
        for row in task.rows():
            yield board_row.joined((task.task_id, *placement(row).values()), row.entry.cells)


@with_config(CLOSED)
class BoardGroup(TypedDict):
    """Equals: the same work, the same boundary, the same devices at the same power limit."""

    boundary: str
    devices: list[str]
    dataset: str
    fingerprint: str
    rows: list[BoardRow]


@with_config(CLOSED)
class BoardTask(TypedDict):
    """One task: its ranked groups, then what is listed without rank, by energy."""

    id: str
    unit: str
    groups: list[BoardGroup]
    listed: list[BoardRow]


@with_config(CLOSED)
class PublishedRow(TypedDict):
    """One figure that others published."""

    task: str
    model: str
    model_class: str | None
    energy_kwh_per_1000: float
    gpu: str
    gpu_count: int | None
    batch_size: float
    steps: int | None
    new_tokens: float | None
    workload: str | None
    stars: int | None


@with_config(CLOSED)
class Study(TypedDict):
    """Results that others measured and published: not ours, never ranked with ours."""

    key: str
    title: str
    boundary: str
    precision: str
    engine: str
    source: str
    source_url: str
    licence: str
    caveat: str
    rows: list[PublishedRow]


@with_config(CLOSED)
class BoardDocument(BoardSources):
    """leaderboard.json: generated by `make board`, never edited."""

    tasks: list[BoardTask]
    published: list[Study]


def board_schema() -> dict[str, Any]:
    """The JSON Schema of leaderboard.json, draft 2020-12."""
    content = TypeAdapter(BoardDocument).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content}
