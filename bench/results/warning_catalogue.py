"""Warnings from the table `warnings.toml`: message, remedy, whether one blocks ranking."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from bench.results.machine_record import Sensor
from bench.results.record import MeasurementWarning

TABLE = Path(__file__).with_name("warnings.toml")


@cache
def catalogue() -> dict[str, MeasurementWarning]:
    """Every kind of warning by its code; its message has the figures in braces."""
    import tomllib

    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {code: MeasurementWarning(code=code, **row) for code, row in table.items()}


def make_warning(code: str, **figures: object) -> MeasurementWarning:
    """The warning of this code with its figures filled in.

    Raises KeyError for an unknown code or a figure that is missing.
    """
    kind = catalogue()[code]
    return MeasurementWarning(**{**dict(kind), "message": kind.message.format(**figures)})


def missing_energy_warning(domain: str, sensors: Iterable[Sensor]) -> MeasurementWarning:
    """The warning for a domain that no meter covers, with the reasons of the unusable sensors."""
    reasons = [f"{s.meter}: {s.reason}" for s in sensors if not s.usable and s.reason]
    reason = "; ".join(reasons) or "no meter covers it"
    return make_warning("energy-missing", domain=domain, reason=reason)
