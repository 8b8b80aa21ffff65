"""`joulebench badge`: the energy of a result as an SVG badge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import print_json
from bench.cli._options import Json, ResultFile

PANEL = "Share"


def command(
    result: ResultFile,
    out: Annotated[
        Path | None, typer.Option(help="The badge; by default the result's path with .svg.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the badge (SVG) of a result."""
    from bench.reports import citation
    from bench.results import storage

    path = out or result.with_suffix(".svg")
    storage.write_text(path, citation.badge(storage.load_result(result)))
    print_json({"badge": str(path)}) if as_json else print(f"wrote {path}")
