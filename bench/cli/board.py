"""`joulebench board`: write the leaderboard from the submissions."""

from __future__ import annotations

from pathlib import Path

from bench.cli._errors import exit_on_error, log
from bench.cli._io import print_written
from bench.cli._options import Json, Results

PANEL = "Share"


def command(results: Results = Path("results"), as_json: Json = False) -> None:
    """Write the leaderboard (json, csv, md, page) from the submissions."""
    from bench.leaderboard.board_entry import make_entry
    from bench.leaderboard.board_files import write_board
    from bench.leaderboard.ranking import rank_entries
    from bench.leaderboard.verification import verify_folder
    from bench.results.formatting import printable

    verified = verify_folder(results / "submissions", make_entry)
    for path, issues in verified.refused.items():
        log(printable(f"left out {path}: {' '.join(issue.message for issue in issues)}"))
    files = exit_on_error(lambda: write_board(rank_entries(verified.accepted), results))
    print_written(files, as_json)
