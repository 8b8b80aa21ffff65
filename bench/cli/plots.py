"""`joulebench plots`: draw the comparison plots of the submissions."""

from __future__ import annotations

from pathlib import Path

from bench.cli._io import print_written
from bench.cli._options import Json, Results

PANEL = "Share"


def command(results: Results = Path("results"), as_json: Json = False) -> None:
    """Draw the comparison plots (PNG and SVG) of the submissions."""
    from bench.leaderboard import verification
    from bench.reports.plots import draw_all

    collection = verification.collect_submissions(results / "submissions")
    records = [submission.result for submission in collection.accepted]
    written = draw_all(records, results / "plots")
    print_written(written, as_json)
