"""Plug-in (`build`); start, stop, energy of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.meters.zeus.meter import ZeusMeter

if TYPE_CHECKING:
    from bench.meters import MeterContext


def build(site: MeterContext) -> ZeusMeter:
    """The meter of what zeus can read on this machine."""
    return ZeusMeter(site)
