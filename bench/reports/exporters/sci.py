"""Software Carbon Intensity (ISO/IEC 21031) of a result per functional unit, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.impact import sci
from bench.impact.per_inference import LifeCycleInputs
from bench.reports.exporters import ExportOptions, _common
from bench.reports.exporters._common import RunTotals, totals_with_energy
from bench.results.record import Result

SUFFIX = ".json"


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One score a result; without a region its intensity spans all countries."""
    return _common.json_bytes([_score(totals, options) for totals in totals_with_energy(results)])


def _score(totals: RunTotals, options: ExportOptions) -> dict[str, Any]:
    key = options.region.key if options.region else None
    inputs = LifeCycleInputs(region=key, pue=options.pue, embodied_kg=options.embodied_kg)
    consumer = sci.result_scores(totals.result, inputs).consumer
    factor = options.region.factor() if options.region else None
    return {
        "specification": "ISO/IEC 21031:2024, SCI = (E * I + M) per R",
        "software": totals.label,
        "sci": consumer.as_json() if consumer else None,
        "intensity": factor
        and {
            "gco2e_per_kwh": factor.value,
            "region": key,
            "label": factor.label,
            "basis": factor.basis,
            "edition": factor.edition,
            "approach": "location-based, average",
            "source": factor.source,
            "licence": factor.licence,
        },
        "pue": options.pue,
        _common.NAME: _common.provenance(totals),
    }
