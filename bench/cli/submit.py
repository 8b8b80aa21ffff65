"""`joulebench submit`: check a result and add it to the submissions."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli._errors import REFUSED, exit_with_error, log
from bench.cli._options import Json, ResultFile, Results

PANEL = "Share"


def command(
    result: ResultFile,
    results: Results = Path("results"),
    name: Annotated[str | None, typer.Option(help="Who submits it, as shown on the board.")] = None,
    note: Annotated[str | None, typer.Option(help="A remark, as shown on the board.")] = None,
    sign: Annotated[Path | None, typer.Option(help="Sign it with this SSH key.")] = None,
    as_json: Json = False,
) -> None:
    """Check a result and add it to the leaderboard's submissions."""
    from bench.leaderboard import submissions
    from bench.results.formatting import printable

    if not result.is_file():
        exit_with_error(f"there is no file {result}")
    folder = results / "submissions"
    path = None
    try:
        path, findings = submissions.submit(result, folder, name=name, remark=note, key=sign)
    except submissions.SubmissionRefused as error:
        findings = error.findings
    except OSError as error:
        exit_with_error(f"the submission can't be saved: {error}")
    except ValueError as error:
        exit_with_error(str(error))
    if as_json:
        refused = [item.message for item in findings if item.severity == "refused"]
        found = [asdict(item) for item in findings]
        submission = path and str(path)
        print(json.dumps({"submission": submission, "refused": refused, "findings": found}))
    for item in findings:
        log(printable(item.words()))
    if path is None:
        raise typer.Exit(REFUSED)
    if not as_json:
        print(f"submitted: {path}")
