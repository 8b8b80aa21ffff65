"""The board as one JSON document: everything that its other forms show, a row a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bench.impact import carbon, equivalences
from bench.impact.facts import published
from bench.leaderboard import form
from bench.leaderboard.grade import RULE, STARS_RULE
from bench.leaderboard.rank import Board, Group, Row, TaskBoard


def document(board: Board) -> dict[str, Any]:
    """The board as plain JSON values (`form.Board`)."""
    found: dict[str, Any] = json.loads("".join(lines(board)))
    return found


def lines(board: Board) -> Iterator[str]:
    """The text of leaderboard.json in pieces, so that it never lies in memory whole."""
    yield f"{_text(head())[:-1]},\n"
    yield '"tasks":['
    for number, task in enumerate(board.tasks):
        yield from (",\n" if number else "\n", *_task(task))
    yield "],\n"
    yield '"published":['
    yield from _listed(_study(study) for study in published.STUDIES)
    yield "]}\n"


def head() -> form.Head:
    """What the figures rest on."""
    charge = equivalences.phone_charge()
    grids = {key: carbon.grid_factor(key) for key in carbon.SHOWN}
    return {
        "schema_version": form.SCHEMA_VERSION,
        "phone_charge": {"kwh": charge.value, "edition": charge.edition, "source": charge.source},
        "grids": {
            key: {
                "label": fact.label,
                "grams_per_kwh": fact.value,
                "year": fact.edition,
                "basis": fact.basis,
                "source": fact.source,
                "licence": fact.licence,
            }
            for key, fact in grids.items()
        },
        "grade_rule": RULE,
        "stars_rule": STARS_RULE,
    }


def place(row: Row) -> form.Place:
    """Where a row stands among its equals."""
    return {"rank": row.rank, "tied": row.tied, "grade": row.grade, "stars": row.stars}


def _task(task: TaskBoard) -> Iterator[str]:
    yield f'{{"id":{_text(task.task_id)},"unit":{_text(task.unit)},"groups":['
    for number, group in enumerate(task.groups):
        yield ",\n" if number else "\n"
        yield from _group(group)
    yield '],"listed":['
    yield from _listed(_row(row) for row in task.listed)
    yield "]}"


def _group(group: Group) -> Iterator[str]:
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


def _row(row: Row) -> str:
    # The facts are text already: the place goes in front of them.
    return f"{_text(place(row))[:-1]},{row.entry.row[1:]}"


def _study(study: published.Study) -> str:
    about = {
        name: getattr(study, name)
        for name in ("key", "title", "boundary", "precision", "engine", "source", "source_url")
    }
    about |= {"licence": study.licence, "caveat": study.caveat}
    rows = (_text(_published(row)) for row in published.rows() if row.study == study)
    return f'{_text(about)[:-1]},"rows":[{"".join(_listed(rows))}]}}'


def _published(row: published.PublishedFigure) -> form.PublishedRow:
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
