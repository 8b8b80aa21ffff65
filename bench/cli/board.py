"""`joulebench board`: write the leaderboard from the submissions."""

from __future__ import annotations

import json
from pathlib import Path

from bench.cli._errors import exit_on_error, log
from bench.cli._options import Json, Results

PANEL = "Share"


def command(results: Results = Path("results"), as_json: Json = False) -> None:
    """Write the leaderboard (json, csv, md, page) from the submissions."""
    from bench.leaderboard import board_entry, board_files, ranking, verification
    from bench.results.formatting import printable

    found = verification.verify_folder(results / "submissions", board_entry.make_entry)
    for path, why in found.refused.items():
        log(printable(f"left out {path}: {' '.join(item.message for item in why)}"))
    written = exit_on_error(
        lambda: board_files.write_board(ranking.rank_entries(found.kept), results)
    )
    if as_json:
        print(json.dumps([str(path) for path in written]))
    else:
        print("\n".join(f"wrote {path}" for path in written))
