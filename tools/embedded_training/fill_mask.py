"""Masked-language modelling: single sentences; a shape without weights."""

from __future__ import annotations

from tools.embedded_training import common, gaps, shapes


def train(job: common.Job) -> None:
    """The requests, and the shape of one size."""
    common.write_rows("fill-mask", gaps.single(job.raw))
    shapes.write("fill-mask", job.size)
