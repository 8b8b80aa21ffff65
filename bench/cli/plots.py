"""`joulebench plots`: draw the comparison plots from the submissions."""

from __future__ import annotations

import json
from pathlib import Path

from bench.cli._errors import exit_on_error
from bench.cli._options import Json, Results

PANEL = "Share"


def command(results: Results = Path("results"), as_json: Json = False) -> None:
    """Draw the comparison plots (PNG and SVG) from the submissions."""
    from bench.leaderboard import verification
    from bench.reports import plots as room

    collection = verification.collect_results(results / "submissions")
    written = exit_on_error(lambda: room.draw_all(collection.results, results / "plots"))
    if as_json:
        print(json.dumps([str(path) for path in written]))
    else:
        print("\n".join(f"wrote {path}" for path in written))
