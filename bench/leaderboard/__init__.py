"""The leaderboard: check a result, submit it, rank equals with ties, write the board."""

from bench.leaderboard.check import Verdict, check
from bench.leaderboard.document import document
from bench.leaderboard.entry import Entry, entry, of
from bench.leaderboard.form import schema
from bench.leaderboard.grade import grades, stars
from bench.leaderboard.rank import Board, Group, Row, TaskBoard, board
from bench.leaderboard.submissions import Refused, submit
from bench.leaderboard.verify import Collection, Submission, Verified, collect, has_rank, verify
from bench.leaderboard.write import write

__all__ = [
    "Board",
    "Collection",
    "Entry",
    "Group",
    "Refused",
    "Row",
    "Submission",
    "TaskBoard",
    "Verdict",
    "Verified",
    "board",
    "check",
    "collect",
    "document",
    "entry",
    "grades",
    "has_rank",
    "of",
    "schema",
    "stars",
    "submit",
    "verify",
    "write",
]
