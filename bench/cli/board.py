"""`joulebench board`: write the leaderboard from the submissions."""

from __future__ import annotations

from pathlib import Path

from bench.cli._io import log_left_out, print_written
from bench.cli._options import Json, Results

PANEL = "Share"


def command(results: Results = Path("results"), as_json: Json = False) -> None:
    """Write the leaderboard (json, csv, md, page) from the submissions."""
    from bench.leaderboard.board_entry import make_entry
    from bench.leaderboard.board_files import write_board
    from bench.leaderboard.ranking import rank_entries
    from bench.leaderboard.verification import verify_folder

    verified = verify_folder(results / "submissions", make_entry)
    log_left_out(verified.refused)
    files = write_board(rank_entries(verified.accepted), results)
    print_written(files, as_json)
