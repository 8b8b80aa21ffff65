"""`joulebench report`: one result as a page that can be mailed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._errors import exit_on_error
from bench.cli._options import Edition, Json, ResultFile

PANEL = "Share"


def command(
    result: ResultFile,
    out: Annotated[
        Path | None, typer.Option(help="The page; by default beside the result, as .html.")
    ] = None,
    edition: Edition = "epa-current",
    as_json: Json = False,
) -> None:
    """Write one result as one self-contained HTML page."""
    from bench.reports import html_report
    from bench.results import storage

    loaded = exit_on_error(lambda: storage.load_result(result))
    text = exit_on_error(lambda: html_report.html_report(loaded, edition))
    path = out or result.with_suffix(".html")
    exit_on_error(lambda: storage.write_text(path, text))
    print(json.dumps({"page": str(path)}) if as_json else f"wrote {path}")
