"""`joulebench plot`: draw one kind of figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._errors import exit_on_error, exit_with_error, log
from bench.cli._options import Json, Results

PANEL = "Share"


def command(
    name: Annotated[str, typer.Argument(help="A figure, e.g. energy-by-task or power-over-time.")],
    result: Annotated[
        list[Path] | None, typer.Argument(help="Result files; by default all submissions.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder for PNG and SVG.")] = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Draw one figure (PNG and SVG) from result files or from the submissions."""
    from bench.leaderboard import verification
    from bench.reports import plots as room
    from bench.results import storage
    from bench.system import registry

    exit_on_error(lambda: registry.load("plot", name))
    if result:
        chosen = exit_on_error(lambda: [storage.load_result(path) for path in result])
    else:
        collection = verification.collect_results(results / "submissions")
        for path, reasons in collection.refused.items():
            log(f"left out {path}: {'; '.join(reasons)}")
        chosen = list(collection.results)
    written = exit_on_error(lambda: room.draw(name, chosen, out or results / "plots"))
    if not written:
        exit_with_error(f"there is nothing for {name} to draw in {len(chosen)} result(s)")
    if as_json:
        print(json.dumps([str(path) for path in written]))
    else:
        print("\n".join(f"wrote {path}" for path in written))
