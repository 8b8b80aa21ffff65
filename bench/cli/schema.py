"""`joulebench schema`: the JSON Schema of a result, or of the board."""

from __future__ import annotations

import json
from typing import Annotated

import typer

PANEL = "Understand"


def command(
    board: Annotated[bool, typer.Option("--board", help="That of leaderboard.json.")] = False,
) -> None:
    """Print the JSON Schema of a result."""
    from bench.leaderboard import board_files
    from bench.results import storage

    print(json.dumps(board_files.board_schema() if board else storage.result_schema(), indent=1))
