"""The meter of AMD GPUs, Apple silicon and Jetson, through the package zeus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.meters.zeus.meter import ZeusMeter

if TYPE_CHECKING:
    from bench.meters import MeterContext


def build(context: MeterContext) -> ZeusMeter:
    """The meter of what zeus can read on this machine."""
    return ZeusMeter(context)
