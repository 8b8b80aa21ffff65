"""The leaderboard: check a result, submit it, rank equals with ties, write the board."""

from bench.leaderboard.check import (
    Collection,
    Refused,
    Verdict,
    canonical,
    check,
    collect,
    content_id,
    submit,
)
from bench.leaderboard.rank import Board, Group, Row, TaskBoard, board, stars
from bench.leaderboard.write import document, write

__all__ = [
    "Board",
    "Collection",
    "Group",
    "Refused",
    "Row",
    "TaskBoard",
    "Verdict",
    "board",
    "canonical",
    "check",
    "collect",
    "content_id",
    "document",
    "stars",
    "submit",
    "write",
]
