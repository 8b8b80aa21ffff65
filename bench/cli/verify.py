"""`joulebench verify`: judge every submission again, from its raw trials."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._errors import REFUSED, exit_with_error, log
from bench.cli._options import Json

PANEL = "Share"


def command(
    submissions: Annotated[Path, typer.Argument(help="The folder of submissions.")] = Path(
        "results/submissions"
    ),
    as_json: Json = False,
) -> None:
    """Judge every submission again from its raw trials; exit 4 if one is refused."""
    from bench.leaderboard import verification
    from bench.results.formatting import printable

    if not submissions.is_dir():
        exit_with_error(f"there is no folder {submissions}")
    found = verification.verify_folder(submissions, verification.has_rank)
    told = {"refused": found.refused, "remarks": found.remarks}
    if as_json:
        files = {
            kind: {str(path): [asdict(item) for item in why] for path, why in of.items()}
            for kind, of in told.items()
        }
        print(json.dumps({"passed": len(found.kept), "ranked": sum(found.kept), **files}))
    for of in told.values():
        for path, why in of.items():
            for item in why:
                log(printable(f"{path}: {item.words()}"))
    if not as_json:
        listed = len(found.kept) - sum(found.kept)
        print(f"{len(found.kept)} passed ({listed} of them without rank)")
        print(f"{len(found.refused)} refused")
    if found.refused:
        raise typer.Exit(REFUSED)
