"""Software Carbon Intensity (ISO/IEC 21031) of a result per functional unit, as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from bench.impact import sci
from bench.impact.per_inference import LifeCycleInputs
from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import json_bytes, totals_with_energy
from bench.results.record import Result

SUFFIX = ".json"


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One score a result; without a region its intensity spans all countries."""
    key = options.region.key if options.region else None
    inputs = LifeCycleInputs(region=key, pue=options.pue, embodied_kg=options.embodied_kg)
    contexts = [
        {
            "totals": totals,
            "score": sci.result_scores(totals.result, inputs).consumer,
            "factor": options.region.factor() if options.region else None,
            "region": key,
            "pue": options.pue,
        }
        for totals in totals_with_energy(results)
    ]
    return json_bytes("sci.json.jinja", contexts)
