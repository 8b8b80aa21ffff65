"""Summarization: mails with the subject that their writer gave them; a shape without weights."""

from __future__ import annotations

from tools.embedded_training import common, shapes, subjects


def train(job: common.Job) -> None:
    """The requests, and the shape of one size."""
    common.write_rows("summarization", subjects.make_rows(job.raw))
    shapes.write("summarization", job.size)
