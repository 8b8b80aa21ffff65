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
    from bench.leaderboard.board_files import board_schema
    from bench.results.storage import result_schema

    print(json.dumps(board_schema() if board else result_schema(), indent=1))
