"""The leaderboard: validate a result, submit it, rank equals with ties, write the board."""

from bench.leaderboard.grading import grades, stars

__all__ = ["grades", "stars"]
