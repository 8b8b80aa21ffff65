"""AI Energy Score's GPU_ENERGY_SUMMARY.json: GPU energy of a run in Wh; null where no GPU was read.

A window covers whole inferences, so the three phases of the form are null, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import json_bytes, totals_with_energy
from bench.results.record import Result

SUFFIX = ".json"


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One summary a result, with a block `joulebench` that states boundary and method."""
    contexts = [{"totals": totals} for totals in totals_with_energy(results)]
    return json_bytes("ai_energy_score.json.jinja", contexts)
