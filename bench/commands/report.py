"""`joulebench report`: one result as a page that can be mailed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import Edition, Json, ResultFile
from bench.exits import or_stop

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

    loaded = or_stop(lambda: storage.load_result(result))
    text = or_stop(lambda: html_report.html_report(loaded, edition))
    path = out or result.with_suffix(".html")
    or_stop(lambda: storage.write_text(path, text))
    print(json.dumps({"page": str(path)}) if as_json else f"wrote {path}")
