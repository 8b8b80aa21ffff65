"""`joulebench publish`: the board as a data set folder for a hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._errors import exit_on_error, exit_with_error, log
from bench.cli._options import Json, Results

PANEL = "Share"


def command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Prepare the folder, send nothing.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder to prepare.")] = Path("results/hub"),
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Prepare the board as a folder that `datasets` loads, to be uploaded by hand."""
    from bench.leaderboard import publishing, verification
    from bench.system.process import configure_environment

    configure_environment()
    if not dry_run:
        exit_with_error(
            "publish sends nothing by itself: give --dry-run, look at the folder, then "
            "`hf upload --repo-type dataset OWNER/NAME FOLDER`"
        )
    collection = verification.collect_results(results / "submissions")
    for path, reasons in collection.refused.items():
        log(f"left out {path}: {'; '.join(reasons)}")
    written = exit_on_error(lambda: publishing.write_dataset_folder(collection.results, out))
    if as_json:
        print(json.dumps([str(path) for path in written]))
        return
    print("\n".join(f"wrote {path}" for path in written))
    log(f"to send it: hf upload --repo-type dataset OWNER/NAME {out}")
