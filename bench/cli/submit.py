"""`joulebench submit`: validate a result and add it to the submissions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._io import REFUSED, log, print_json
from bench.cli._options import Json, ResultFile, Results

PANEL = "Share"


def command(
    result: ResultFile,
    results: Results = Path("results"),
    removed: Annotated[str | None, typer.Option("--name", "--note", "--sign", hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Validate a result and add it to the leaderboard's submissions."""
    from bench.leaderboard import submissions
    from bench.results.formatting import printable

    if removed is not None:
        raise ValueError(
            "--name, --note and --sign were removed: the board shows the author of the commit that "
            "adds the submission, so commit it under your name"
        )
    if not result.is_file():
        raise ValueError(f"there is no file {result}")
    folder = results / "submissions"
    path = None
    try:
        path, issues = submissions.submit(result, folder)
    except submissions.SubmissionRefused as error:
        issues = error.issues
    except OSError as error:
        raise ValueError(f"the submission cannot be saved: {error}") from error
    if as_json:
        content = {
            "submission": path and str(path),
            "refused": [issue.message for issue in issues if issue.severity == "refused"],
            "findings": [asdict(issue) for issue in issues],
        }
        print_json(content)
    for issue in issues:
        log(printable(issue.text()))
    if path is None:
        raise typer.Exit(REFUSED)
    if not as_json:
        print(f"submitted: {path}")
