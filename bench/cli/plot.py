"""`joulebench plot`: draw one kind of plot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import log_left_out, print_written
from bench.cli._options import Json, Results

PANEL = "Share"


def command(
    name: Annotated[str, typer.Argument(help="A plot, e.g. energy-by-task or power-over-time.")],
    result: Annotated[
        list[Path] | None, typer.Argument(help="Result files; by default all submissions.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder for PNG and SVG.")] = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Draw one plot (PNG and SVG) of result files or of the submissions."""
    from bench.leaderboard import verification
    from bench.reports import plots
    from bench.results import storage
    from bench.system import registry

    registry.load("plot", name)
    if result:
        records = [storage.load_result(path) for path in result]
    else:
        collection = verification.collect_submissions(results / "submissions")
        log_left_out(collection.refused)
        records = [submission.result for submission in collection.accepted]
    written = plots.draw(name, records, out or results / "plots")
    if not written:
        raise ValueError(f"{name} can draw none of the {len(records)} result(s)")
    print_written(written, as_json)
