"""`joulebench verify`: validate every submission again, from its raw trials."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import REFUSED, log, print_json
from bench.cli._options import Json

PANEL = "Share"


def command(
    submissions: Annotated[Path, typer.Argument(help="The folder of submissions.")] = Path(
        "results/submissions"
    ),
    as_json: Json = False,
) -> None:
    """Validate every submission again from its raw trials; exit 4 if one is refused."""
    from bench.leaderboard.board_entry import make_entry
    from bench.leaderboard.verification import verify_folder
    from bench.results.formatting import printable

    if not submissions.is_dir():
        raise ValueError(f"there is no folder {submissions}")
    verified = verify_folder(submissions, make_entry)
    passed, ranked = len(verified.accepted), sum(e.group is not None for e in verified.accepted)
    if as_json:
        refused = {str(p): [asdict(i) for i in issues] for p, issues in verified.refused.items()}
        print_json({"passed": passed, "ranked": ranked, "refused": refused})
    for path, issues in verified.refused.items():
        for issue in issues:
            log(printable(f"{path}: {issue.text()}"))
    if not as_json:
        print(f"{passed} passed ({passed - ranked} of them without rank)")
        print(f"{len(verified.refused)} refused")
    if verified.refused:
        raise typer.Exit(REFUSED)
