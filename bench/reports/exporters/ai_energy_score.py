"""AI Energy Score's GPU_ENERGY_SUMMARY.json: GPU energy of a run in Wh; null where no GPU was read.

Its three phases are not told apart by our windows, so they are null too, and never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.reports.exporters import ExportOptions, ImportedEnergy, _common
from bench.reports.exporters._common import RunTotals, with_energy
from bench.results.record import Result

SUFFIX = ".json"


PHASES = ("preprocess", "prefill", "decode")


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One summary a result, with a block of ours that says what is inside the boundary."""
    return _common.write([_summary(found) for found in with_energy(list(results))])


def read(data: bytes) -> list[ImportedEnergy]:
    """The energy over the whole boundary, as the block of ours says it."""
    return _common.read(data, lambda each: each[_common.NAME])


def _summary(found: RunTotals) -> dict[str, Any]:
    gpu = found.parts_kwh.get("gpu")
    return {
        "units": "Wh",
        "total": None if gpu is None else 1000 * gpu,
        "format": _common.NAME,
        **{f"{phase}_wh": None for phase in PHASES},
        _common.NAME: _common.ours(found),
    }
