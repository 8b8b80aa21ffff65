"""`joulebench board`: write the leaderboard from the submissions."""

from __future__ import annotations

import json
from pathlib import Path

from bench.commands._options import Json, Results
from bench.exits import or_stop, say

PANEL = "Share"


def command(results: Results = Path("results"), as_json: Json = False) -> None:
    """Write the leaderboard (json, csv, md, page) from the submissions."""
    from bench import leaderboard

    collection = leaderboard.collect(results / "submissions")
    for path, reasons in collection.refused.items():
        say(f"left out {path}: {'; '.join(reasons)}")
    written = or_stop(lambda: leaderboard.write(leaderboard.board(collection.results), results))
    if as_json:
        print(json.dumps([str(path) for path in written]))
    else:
        print("\n".join(f"wrote {path}" for path in written))
