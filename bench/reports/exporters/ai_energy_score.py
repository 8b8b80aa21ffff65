"""AI Energy Score's GPU_ENERGY_SUMMARY.json: GPU energy of a run in Wh; null where no GPU was read.

A window covers whole inferences, so the three phases of the form are null, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.reports.exporters import ExportOptions, _common
from bench.reports.exporters._common import RunTotals, totals_with_energy
from bench.results.record import Result

SUFFIX = ".json"
PHASES = ("preprocess", "prefill", "decode")


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One summary a result, with a block `joulebench` that states boundary and method."""
    return _common.json_bytes([_summary(totals) for totals in totals_with_energy(results)])


def _summary(totals: RunTotals) -> dict[str, Any]:
    gpu = totals.component_kwh.get("gpu")
    return {
        "units": "Wh",
        "total": None if gpu is None else 1000 * gpu,
        "format": _common.NAME,
        **{f"{phase}_wh": None for phase in PHASES},
        _common.NAME: _common.provenance(totals),
    }
