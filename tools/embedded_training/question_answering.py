"""Question answering: passages with a gap; a shape without weights."""

from __future__ import annotations

from tools.embedded_training import common, gaps, shapes


def train(job: common.Job) -> None:
    """The requests, and the shape of one size."""
    common.write_rows("question-answering", gaps.questions(job.raw))
    shapes.write("question-answering", job.size)
