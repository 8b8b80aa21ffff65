"""Plots: one a file, found by its name, saved as PNG and SVG; the same input gives the same bytes.

The file of a plot has `draw(results, **options) -> Figure`, which raises ValueError where there is
nothing to draw, and `SCOPE`: "all" results in one figure, or a figure for each "task" or "result".
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bench.results import storage
from bench.results.record import Result
from bench.system import registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_all(results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw all plots of several results. Returns the paths of the files."""
    written: list[Path] = []
    for name in registry.names("plot"):
        if registry.load("plot", name).SCOPE != "result":
            written += draw(name, results, folder)
    return written


def draw(name: str, results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw one plot, for each task or result if that is its scope. Returns the paths of the files.

    A task or result with nothing to draw is left out. Raises NameNotFound for an unknown name.
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
    """The results of each figure that a plot of this scope draws, by file name."""
    if scope == "all":
        return {name: ordered}
    if scope == "task":
        tasks = dict.fromkeys(result.task.id for result in ordered)
        return {f"{name}-{t}": [r for r in ordered if r.task.id == t] for t in tasks}
    return {f"{name}-{result.task.id}-{result.run_id}": [result] for result in ordered}


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `<name>.png` and `<name>.svg`, with the figure's label (its numbers) as metadata.

    Raises OSError if the folder cannot be written.
    """
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    for path in paths:
        file = io.BytesIO()
        write(figure, file, path.suffix.removeprefix("."))
        storage.write_parts(path, [file.getvalue()])
    return paths


def write(figure: Figure, file: IO[bytes], kind: str) -> None:
    """Write a figure as "png" or "svg", its label as metadata, without time or version."""
    from bench.reports.plot_style import plot_context

    caption = str(figure.get_label())
    title = caption.splitlines()[0] if caption else "figure"
    metadata: dict[str, str | None] = {"Title": title, "Description": caption}
    metadata |= {"Software": None} if kind == "png" else {"Date": None, "Creator": "JouleBench"}
    with plot_context():
        figure.savefig(file, format=kind, dpi=160, metadata=metadata)
