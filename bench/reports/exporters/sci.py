"""Software Carbon Intensity (ISO/IEC 21031) of a result per functional unit, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.impact import sci
from bench.impact.per_inference import LifeCycleInputs
from bench.reports.exporters import ExportOptions, ImportedEnergy, _common
from bench.reports.exporters._common import RunTotals, with_energy
from bench.results.record import Result

SUFFIX = ".json"


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One score a result; without a region its intensity reaches over all countries."""
    return _common.write([_score(found, options) for found in with_energy(list(results))])


def read(data: bytes) -> list[ImportedEnergy]:
    """The energy behind a score, as the block of ours says it."""
    return _common.read(data, lambda each: each[_common.NAME])


def _score(found: RunTotals, options: ExportOptions) -> dict[str, Any]:
    key = options.region.key if options.region else None
    asked = LifeCycleInputs(region=key, pue=options.pue, embodied_kg=options.embodied_kg)
    consumer = sci.of_result(found.result, asked).consumer
    factor = options.region.factor() if options.region else None
    return {
        "specification": "ISO/IEC 21031:2024, SCI = (E * I + M) per R",
        "software": found.label,
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
        _common.NAME: _common.ours(found),
    }
