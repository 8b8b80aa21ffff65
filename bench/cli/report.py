"""`joulebench report`: one result as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import print_json
from bench.cli._options import Edition, Json, ResultFile

PANEL = "Share"


def command(
    result: ResultFile,
    out: Annotated[
        Path | None, typer.Option(help="The page; by default the result's path with .html.")
    ] = None,
    edition: Edition = "epa-current",
    as_json: Json = False,
) -> None:
    """Write one result as one self-contained HTML page."""
    from bench.reports.html_report import html_report
    from bench.results import storage

    path = out or result.with_suffix(".html")
    storage.write_text(path, html_report(storage.load_result(result), edition))
    print_json({"page": str(path)}) if as_json else print(f"wrote {path}")
