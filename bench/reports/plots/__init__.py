"""Comparison plots: one figure a file, saved as PNG and SVG that are the same for the same input.

A figure's file has `draw(results, **options) -> Figure` and `SCOPE`: "all" results at once, one
"task" at a time, or one "result". `draw` raises ValueError where there is nothing to draw.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bench.results.record import Result
from bench.system import registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_all(results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw every comparison that these results allow; gives the files written."""
    written: list[Path] = []
    for name in registry.names("plot"):
        if registry.load("plot", name).SCOPE != "result":
            written += draw(name, results, folder)
    return written


def draw(name: str, results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw one figure, once for each task or result where that is its scope; gives the files.

    What there is nothing to draw for is left out. Raises NotFound for an unknown name.
    """
    module = registry.load("plot", name)
    ordered = sorted(results, key=lambda result: (result.task.id, result.model.id, result.run_id))
    written: list[Path] = []
    for stem, part in _parts(name, module.SCOPE, ordered).items():
        try:
            figure = module.draw(part)
        except ValueError:
            continue
        written += save(figure, folder, stem)
    return written


def _parts(name: str, scope: str, ordered: Sequence[Result]) -> dict[str, Sequence[Result]]:
    """The results of each picture that a figure of this scope makes, by the name of its file."""
    if scope == "all":
        return {name: ordered}
    if scope == "task":
        tasks = dict.fromkeys(result.task.id for result in ordered)
        return {f"{name}-{t}": [r for r in ordered if r.task.id == t] for t in tasks}
    return {f"{name}-{result.task.id}-{result.run_id}": [result] for result in ordered}


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `<name>.png` and `<name>.svg`; the figure's label, its numbers, goes in as text.

    The same figure gives the same bytes. Raises OSError if the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    for path in paths:
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=path.suffix)
        try:
            with os.fdopen(handle, "wb") as file:
                write(figure, file, path.suffix.removeprefix("."))
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return paths


def write(figure: Figure, file: IO[bytes], kind: str) -> None:
    """Write a figure as "png" or "svg", its numbers inside as text; the same bytes each time."""
    import matplotlib

    from bench.reports import plot_style

    caption = str(figure.get_label())
    title = caption.splitlines()[0] if caption else "figure"
    metadata: dict[str, str | None] = {"Title": title, "Description": caption}
    metadata |= {"Software": None} if kind == "png" else {"Date": None, "Creator": "JouleBench"}
    with matplotlib.rc_context(plot_style.STYLE), plot_style.quiet():
        figure.savefig(file, format=kind, dpi=160, metadata=metadata)
