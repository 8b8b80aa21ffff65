"""The static site; `templates/` and `assets/` beside it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.impact import equivalences, facts
from bench.impact.facts import published
from bench.leaderboard.board_entry import FIELDS, short, text
from bench.leaderboard.grading import RULE, STARS_RULE
from bench.leaderboard.ranking import Board, RankedEntry, TaskBoard, placement
from bench.results.escaping import html_environment
from bench.system.registry import known_task

FIRST = 50
MOST_ROWS, MOST_RUNS = 8000, 100
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


@dataclass(frozen=True, slots=True)
class SiteResult:
    """One result: its id, its row as a JSON array (`line.FIELDS`), its detail as a JSON object."""

    id: str
    line: str
    detail: str


@dataclass(frozen=True)
class SiteTask:
    """One task on the site. `about` is what its head says, `published` rows of others."""

    id: str
    about: dict[str, Any]
    items: Sequence[SiteResult]
    published: list[list[Any]]


def write_site(parts: Sequence[SiteTask], shared: dict[str, Any], folder: Path) -> None:
    """Write the site; what was in the folder before goes. `shared` is what every page knows."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".site.") as place:
        new = Path(place) / "site"
        shutil.copytree(HERE / "assets", new)
        tasks = [_data(part, new / "data" / part.id) for part in parts]
        (new / "data").mkdir(exist_ok=True)
        board = text(shared | {"tasks": tasks})
        (new / "data" / "board.js").write_text(f"jb.board({board});\n", encoding="utf-8")
        for name, page in _pages(tasks, shared):
            (new / name).write_text(page, encoding="utf-8")
        if folder.exists():
            folder.rename(Path(place) / "old")
        new.rename(folder)
    folder.chmod(0o755)


def _data(part: SiteTask, folder: Path) -> dict[str, Any]:
    """Write the data of one task; gives what the board says of it."""
    folder.mkdir(parents=True)
    about = {
        "id": part.id,
        **part.about,
        "count": len(part.items),
        "published": len(part.published),
    }
    # Rows that all fit on the first screen need no file of their own.
    rest = part.items if len(part.items) > FIRST else ()
    first = [json.loads(item.line) for item in part.items[:FIRST]]
    about["rowsBy"] = _chunks(folder, "rows", rest, MOST_ROWS, lambda item: item.line, "[]")
    about["runsBy"] = _chunks(folder, "runs", part.items, MOST_RUNS, _run, "{}")
    if part.published:
        _script(folder / "published.js", "published", part.id, text(part.published))
    return {**about, "first": first}


def _chunks(
    folder: Path,
    name: str,
    items: Sequence[SiteResult],
    most: int,
    turn: Callable[[SiteResult], str],
    brackets: str,
) -> int | None:
    """Write items in files by the first digits of their ids; gives how many digits, if any item.

    Ids are hashes, so that files by their beginnings are of nearly the same size.
    """
    if not items:
        return None
    digits = next(d for d in range(16) if len(items) <= most * 16**d)
    by_start: dict[str, list[str]] = defaultdict(list)
    for item in items:
        by_start[item.id[:digits]].append(turn(item))
    for start, found in by_start.items():
        content = brackets[0] + ",\n".join(found) + brackets[1]
        _script(folder / f"{name}-{start or 'all'}.js", name, folder.name, content)
    return digits


def _run(item: SiteResult) -> str:
    return f'"{item.id}":{item.detail}'


def _script(path: Path, name: str, task: str, content: str) -> None:
    path.write_text(f"jb.{name}({text(task)},{content});\n", encoding="utf-8")


def _pages(tasks: list[dict[str, Any]], shared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    templates = html_environment(HERE / "templates")
    known = {**shared, "tasks": tasks, "policy": POLICY, "count": sum(t["count"] for t in tasks)}

    def render(template: str, **more: Any) -> str:
        return templates.get_template(f"{template}.html.jinja").render(known | more)

    yield "index.html", render("board", task=None)
    for task in tasks:
        yield f"task-{task['id']}.html", render("board", task=task)
    yield "result.html", render("result")
    yield "compare.html", render("compare")


def parts(board: Board) -> list[SiteTask]:
    """The tasks of the site: those with results, and those of which others published some."""
    ours = {task.task_id: task for task in board.tasks}
    theirs = {row.task for row in published.rows()}
    empty = {name: TaskBoard(name, "", (), ()) for name in theirs - set(ours)}
    return [_part(task) for _, task in sorted((ours | empty).items())]


def _part(task: TaskBoard) -> SiteTask:
    known = known_task(task.task_id)
    items = [
        SiteResult(row.entry.id, _line(number, group, row), row.entry.detail)
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
    return SiteTask(task.task_id, about, items, _published(task.task_id))


def _numbered(task: TaskBoard) -> Iterator[tuple[int | None, RankedEntry]]:
    for number, group in enumerate(task.groups):
        yield from ((number, row) for row in group.rows)
    yield from ((None, row) for row in task.listed)


def _line(number: int, group: int | None, row: RankedEntry) -> str:
    # The facts are text already: the place goes in front of them.
    return f"{json.dumps([number, group, *placement(row).values()])[:-1]},{row.entry.line[1:]}"


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


HERE = Path(__file__).parent
