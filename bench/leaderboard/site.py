"""The board as the site wants it: its tasks, their rows as lines, and what every page knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from bench.impact import equivalences, facts
from bench.impact.facts import published
from bench.leaderboard.document import place
from bench.leaderboard.grade import RULE, STARS_RULE
from bench.leaderboard.rank import Board, Row, TaskBoard
from bench.pages import site as site_pages
from bench.pages.line import FIELDS, short
from bench.system.registry import known_task


def parts(board: Board) -> list[site_pages.Part]:
    """The tasks of the site: those with results, and those of which others published some."""
    ours = {task.task_id: task for task in board.tasks}
    theirs = {row.task for row in published.rows()}
    empty = {name: TaskBoard(name, "", (), ()) for name in theirs - set(ours)}
    return [_part(task) for _, task in sorted((ours | empty).items())]


def _part(task: TaskBoard) -> site_pages.Part:
    known = known_task(task.task_id)
    items = [
        site_pages.Item(row.entry.id, _line(number, group, row), row.entry.detail)
        for number, (group, row) in enumerate(_numbered(task))
    ]
    about = {
        "unit": task.unit or (known.unit if known else "inference"),
        "title": known.title if known else task.task_id,
        "inference": known.inference if known else None,
        "groups": [
            [g.equals.boundary, sorted(set(g.equals.devices)), g.equals.dataset, len(g.rows)]
            for g in task.groups
        ],
        "energy": _range([row.entry.span for row in task.rows() if row.entry.span]),
    }
    return site_pages.Part(task.task_id, about, items, _published(task.task_id))


def _numbered(task: TaskBoard) -> Iterator[tuple[int | None, Row]]:
    for number, group in enumerate(task.groups):
        yield from ((number, row) for row in group.rows)
    yield from ((None, row) for row in task.listed)


def _line(number: int, group: int | None, row: Row) -> str:
    # The facts are text already: the place goes in front of them.
    return f"{json.dumps([number, group, *place(row).values()])[:-1]},{row.entry.line[1:]}"


def _range(spans: Sequence[tuple[float, float, float]]) -> list[float] | None:
    """Least and greatest end of all intervals that are above zero, and the middle value, in kWh."""
    ends = [end for span in spans for end in span if end > 0]
    values = sorted(value for value, _, _ in spans if value > 0)
    return [short(x) for x in (min(ends), max(ends), values[len(values) // 2])] if values else None


def _published(task_id: str) -> list[list[Any]]:
    keys = [study.key for study in published.STUDIES]
    return [
        [
            keys.index(row.study.key),
            row.model,
            short(row.energy_kwh_per_1000),
            row.gpu,
            row.gpu_count,
            short(row.batch_size),
            row.steps,
            row.new_tokens and round(row.new_tokens),
            row.workload or (row.model_class and f"class {row.model_class}"),
            row.stars,
        ]
        for row in sorted(published.rows(task_id), key=lambda row: row.energy_kwh_per_1000)
    ]


def shared(board: Board) -> dict[str, Any]:
    """What every page of the site knows."""
    grids = facts.grids()
    sources = list(dict.fromkeys(f"{fact.source}, {fact.licence}" for fact in grids.values()))
    dates = [row.entry.created_at for task in board.tasks for row in task.rows()]
    return {
        "fields": FIELDS,
        "latest": max(dates)[:10] if dates else None,
        "charge": asdict(equivalences.phone_charge()),
        "grids": [
            [key, f.label, f.value, f.edition, f.basis, sources.index(f"{f.source}, {f.licence}")]
            for key, f in grids.items()
        ],
        "sources": sources,
        "rules": [RULE, STARS_RULE],
        "studies": [asdict(study) for study in published.STUDIES],
    }
