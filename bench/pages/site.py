"""The leaderboard site: static pages and their data, for any host and for file:// as well.

    index.html            every task, its table, search and filters
    task-<task>.html      one task, with what others published about it
    result.html#<task>/<id>, compare.html#<task>/<id>,…   drawn in the browser from the data
    data/board.js         what the pages share, and the first rows of every task
    data/<task>/…js       the other rows, and what the page of a result shows

A page that lies on a disk may load scripts and nothing else, so data are scripts that hand over
JSON. The content-security policy allows the site's own files alone: nothing inline, no other host.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import pages
from bench.pages.line import text
from bench.results import escaping

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
class Item:
    """One result: its id, its row as a JSON array (`line.FIELDS`), its detail as a JSON object."""

    id: str
    line: str
    detail: str


@dataclass(frozen=True)
class Part:
    """One task on the site. `about` is what its head says, `published` rows of others."""

    id: str
    about: dict[str, Any]
    items: Sequence[Item]
    published: list[list[Any]]


def write(parts: Sequence[Part], shared: dict[str, Any], folder: Path) -> None:
    """Write the site; what was in the folder before goes. `shared` is what every page knows."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".site.") as place:
        new = Path(place) / "site"
        shutil.copytree(pages.HERE / "assets", new)
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


def _data(part: Part, folder: Path) -> dict[str, Any]:
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
    items: Sequence[Item],
    most: int,
    turn: Callable[[Item], str],
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


def _run(item: Item) -> str:
    return f'"{item.id}":{item.detail}'


def _script(path: Path, name: str, task: str, content: str) -> None:
    path.write_text(f"jb.{name}({text(task)},{content});\n", encoding="utf-8")


def _pages(tasks: list[dict[str, Any]], shared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    templates = escaping.html_environment(pages.HERE / "templates")
    known = {**shared, "tasks": tasks, "policy": POLICY, "count": sum(t["count"] for t in tasks)}

    def render(template: str, **more: Any) -> str:
        return templates.get_template(f"{template}.html.jinja").render(known | more)

    yield "index.html", render("board", task=None)
    for task in tasks:
        yield f"task-{task['id']}.html", render("board", task=task)
    yield "result.html", render("result")
    yield "compare.html", render("compare")
