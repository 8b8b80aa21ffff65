"""`joulebench submit`: check a result and add it to the submissions."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from bench.commands._options import Json, ResultFile, Results
from bench.exits import REFUSED, say, stop

PANEL = "Share"


def command(
    result: ResultFile,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Check a result and add it to the leaderboard's submissions."""
    from bench import leaderboard

    if not result.is_file():
        stop(f"there is no file {result}")
    try:
        path = leaderboard.submit(result, results / "submissions")
    except leaderboard.Refused as error:
        if as_json:
            print(json.dumps({"refused": list(error.reasons)}))
        for reason in error.reasons:
            say(f"refused: {reason}")
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        stop(f"the submission can't be saved: {error}")
    print(json.dumps({"submission": str(path)}) if as_json else f"submitted: {path}")
