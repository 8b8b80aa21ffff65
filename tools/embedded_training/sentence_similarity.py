"""Sentence similarity: pairs of definitions; a shape without weights."""

from __future__ import annotations

from tools.embedded_training import common, shapes, wordnet


def train(job: common.Job) -> None:
    """The requests, and the shape of one size."""
    common.write_rows("sentence-similarity", wordnet.make_rows(job.raw))
    shapes.write("sentence-similarity", job.size)
