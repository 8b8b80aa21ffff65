"""The static site of the board: pages in `templates/`, scripts and style in `assets/`."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import to_json

from bench.impact import equivalences, regions
from bench.impact.facts import published
from bench.leaderboard.board_entry import six_digits
from bench.leaderboard.board_row import BoardRow, Figure, RowQuality, columns_of, row_values
from bench.leaderboard.grading import GRADE_RULE, STARS_RULE
from bench.leaderboard.ranking import Board, BoardTask
from bench.results import escaping
from bench.system.registry import known_task

FOLDER = Path(__file__).parent

# A page shows 50 rows at first; these are in the page's first data file. The others are in files of
# at most 8,000 rows (about 2 MB), and details of at most 100 results (about 1 MB).
FIRST_ROWS = 50
MAX_ROWS_PER_FILE = 8000
MAX_DETAILS_PER_FILE = 100

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)

# Warnings with these codes have a badge from another field of the row.
CODES_WITH_BADGE = {"energy-modelled", "random-weights", "quick-run", "interrupted", "failed"}


# A row of the site is an array of the values of these columns: its position, values at a path in
# the row, and values computed from it. The scripts read the names from the data.
POSITION = ("id", "number", "group")
SITE_COLUMNS = columns_of("site")
COMPUTED_COLUMNS: dict[str, Callable[[BoardRow], Any]] = {
    "device": lambda row: ", ".join(row.devices),
    "date": lambda row: row.created_at[:10],
    "warning_count": lambda row: len(row.warnings),
    "blocking_codes": lambda row: [
        w.code for w in row.warnings if w.blocks_ranking and w.code not in CODES_WITH_BADGE
    ],
    "failure": lambda row: row.why_not_ranked[0][:300] if row.status == "failed" else None,
}


def write_site(board: Board, folder: Path) -> None:
    """Write the site into a folder; an older site in it is replaced as a whole.

    Raises OSError where it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".site.") as temporary:
        new = Path(temporary) / "site"
        shutil.copytree(FOLDER / "assets", new)
        (new / "data").mkdir()
        tasks = [_write_task(task, board.details, new / "data") for task in _all_tasks(board)]
        shared = _shared_data(board)
        script = f"jb.board({_script_json(shared | {'tasks': tasks})});\n"
        (new / "data" / "board.js").write_text(script, encoding="utf-8")
        for name, page in _pages(tasks, shared):
            (new / name).write_text(page, encoding="utf-8")
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        new.rename(folder)
    folder.chmod(0o755)


def _all_tasks(board: Board) -> list[BoardTask]:
    """The tasks of the board, and those of which only others published figures."""
    tasks = {figure.task: BoardTask(figure.task, "", [], []) for figure in published.rows()}
    tasks |= {task.id: task for task in board.tasks}
    return [tasks[name] for name in sorted(tasks)]


def _write_task(task: BoardTask, details: Mapping[str, str], data: Path) -> dict[str, Any]:
    """Write the data files of one task; returns its part of board.js."""
    folder = data / task.id
    folder.mkdir()
    known = known_task(task.id)
    numbered = list(_numbered(task))
    # Rows that all fit on the first page need no file of their own.
    later = numbered if len(numbered) > FIRST_ROWS else []
    figures = sorted(published.rows(task.id), key=lambda item: item.energy_kwh_per_1000)
    if figures:
        rows = _script_json([_published_row(figure) for figure in figures])
        script = _call("published", task.id, rows)
        (folder / "published.js").write_text(script, encoding="utf-8")
    return {
        "id": task.id,
        "unit": task.unit or (known.unit if known else "inference"),
        "title": known.title if known else task.id,
        "inference": known.inference if known else None,
        "groups": [
            [group.boundary, group.devices, group.dataset, len(group.rows)] for group in task.groups
        ],
        "energy": _energy_range(task.rows()),
        "count": len(numbered),
        "published": len(figures),
        "rows_by": _write_chunks(
            folder, "rows", later, MAX_ROWS_PER_FILE, lambda item: _script_json(_site_row(item))
        ),
        "details_by": _write_chunks(
            folder,
            "details",
            numbered,
            MAX_DETAILS_PER_FILE,
            lambda item: f'"{item.id}":{details[item.row.submission]}',
        ),
        "first": [_site_row(item) for item in numbered[:FIRST_ROWS]],
    }


class _Numbered(NamedTuple):
    """A row with its number in the order of the board and the number of its group."""

    id: str
    number: int
    group: int | None
    row: BoardRow


def _numbered(task: BoardTask) -> Iterator[_Numbered]:
    groups = [(i, row) for i, group in enumerate(task.groups) for row in group.rows]
    listed = [(None, row) for row in task.listed]
    for number, (group, row) in enumerate([*groups, *listed]):
        yield _Numbered(row.submission[-21:-5], number, group, row)


def _site_row(item: _Numbered) -> list[Any]:
    values = row_values(item.row, SITE_COLUMNS.values())
    computed = [value(item.row) for value in COMPUTED_COLUMNS.values()]
    return [*item[:3], *map(_ends_or_value, values), *computed]


def _ends_or_value(value: Any) -> Any:
    """A figure as value, low and high end; any other value as it is."""
    if not isinstance(value, Figure | RowQuality):
        return value
    return [six_digits(end) for end in (value.value, value.low, value.high)]


def _write_chunks(
    folder: Path,
    kind: str,
    numbered: Sequence[_Numbered],
    most: int,
    text: Callable[[_Numbered], str],
) -> int | None:
    """Write rows or details in files of at most about `most`, by the first digits of their ids.

    Ids are hashes, so files by first digits are of nearly the same size. Returns the number of
    digits in the file names, None where there is nothing to write.
    """
    if not numbered:
        return None
    digits = next(d for d in range(16) if len(numbered) <= most * 16**d)
    chunks: dict[str, list[_Numbered]] = defaultdict(list)
    for item in numbered:
        chunks[item.id[:digits]].append(item)
    for start, items in chunks.items():
        lines = ",\n".join(map(text, items))
        script = _call(kind, folder.name, f"[{lines}]" if kind == "rows" else f"{{{lines}}}")
        (folder / f"{kind}-{start or 'all'}.js").write_text(script, encoding="utf-8")
    return digits


def _call(function: str, task_id: str, content: str) -> str:
    """A script that hands data over to `jb` in data.js: pages on a disk may load only scripts."""
    return f"jb.{function}({_script_json(task_id)},{content});\n"


def _script_json(value: object) -> str:
    return to_json(value).decode()


def _energy_range(rows: Iterable[BoardRow]) -> list[float] | None:
    """Least and greatest positive interval end and the median energy, in kWh per 1,000."""
    energies = [energy for row in rows if (energy := row.energy_kwh_per_1000)]
    ends = [end for e in energies for end in (e.value, e.low, e.high) if end > 0]
    values = sorted(energy.value for energy in energies if energy.value > 0)
    if not values:
        return None
    return [six_digits(x) for x in (min(ends), max(ends), values[len(values) // 2])]


def _published_row(figure: published.PublishedFigure) -> list[Any]:
    return [
        [study.key for study in published.STUDIES].index(figure.study.key),
        figure.model,
        six_digits(figure.energy_kwh_per_1000),
        figure.gpu,
        figure.gpu_count,
        six_digits(figure.batch_size),
        figure.steps,
        figure.new_tokens and round(figure.new_tokens),
        figure.workload or (figure.model_class and f"class {figure.model_class}"),
        figure.stars,
    ]


def _shared_data(board: Board) -> dict[str, Any]:
    """The data that every page of the site uses."""
    grids = [(region, region.factors[0]) for region in regions.all_regions()]
    sources = list(dict.fromkeys(f"{fact.source}, {fact.licence}" for _, fact in grids))
    dates = [row.created_at for task in board.tasks for row in task.rows()]
    return {
        "fields": [*POSITION, *SITE_COLUMNS, *COMPUTED_COLUMNS],
        "latest": max(dates)[:10] if dates else None,
        "charge": asdict(equivalences.phone_charge()),
        "grids": [
            [r.key, r.label, f.value, f.edition, f.basis, sources.index(f"{f.source}, {f.licence}")]
            for r, f in grids
        ],
        "sources": sources,
        "rules": [GRADE_RULE, STARS_RULE],
        "studies": [asdict(study) for study in published.STUDIES],
    }


def _pages(tasks: list[dict[str, Any]], shared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The name and the HTML of every page."""
    templates = escaping.html_environment(FOLDER / "templates")
    count = sum(task["count"] for task in tasks)
    common = {**shared, "tasks": tasks, "policy": CONTENT_SECURITY_POLICY, "count": count}

    def render(template: str, **variables: Any) -> str:
        return templates.get_template(f"{template}.html.jinja").render(common | variables)

    yield "index.html", render("board", task=None)
    for task in tasks:
        yield f"task-{task['id']}.html", render("board", task=task)
    yield "result.html", render("result")
    yield "compare.html", render("compare")
