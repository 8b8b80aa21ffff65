"""`joulebench publish`: write the board as a data set folder for a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import log, log_left_out, print_written
from bench.cli._options import Json, Results

PANEL = "Share"


def command(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", hidden=True, help="Accepted for older scripts; changes nothing."),
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("results/hub"),
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Write the board as a folder that `datasets` loads, to be uploaded by hand."""
    from bench.leaderboard.publishing import write_dataset_folder
    from bench.leaderboard.verification import collect_submissions

    verified = collect_submissions(results / "submissions")
    log_left_out(verified.refused)
    files = write_dataset_folder(verified.accepted, out)
    print_written(files, as_json)
    log(f"nothing was uploaded; to upload: hf upload --repo-type dataset OWNER/NAME {out}")
