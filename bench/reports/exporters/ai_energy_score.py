"""AI Energy Score's GPU_ENERGY_SUMMARY.json: measured GPU energy in Wh per 1,000 queries.

The leaderboard states Wh of 1,000 queries. Phases are not measured apart here; AI Energy Score's
format for such tools, `ai_energy_benchmarks`, has all energy as `decode_wh` and 0 elsewhere.
Source: summarize_gpu_wh.py in https://github.com/huggingface/AIEnergyScore.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import (
    json_bytes,
    provenance,
    range_over,
    single,
    totals_with_energy,
)
from bench.results import units
from bench.results.domains import is_gpu
from bench.results.record import Result

SUFFIX = ".json"
WH_PER_KWH = 1000


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """The summary of one result, with a block `joulebench` that states range, boundary and method.

    Raises ValueError where the energy is modelled, no GPU was measured, or there are several
    results.
    """
    totals = single(totals_with_energy(results), "AI Energy Score")
    if totals.modelled:
        raise ValueError(
            f"AI Energy Score takes measured GPU energy, and that of {totals.label} is modelled: "
            "measure on a GPU whose energy can be read"
        )
    gpus = [domain for domain in totals.result.boundary.domains if is_gpu(domain)]
    energy = range_over(totals.result, gpus) if gpus else None
    if energy is None:
        raise ValueError(f"AI Energy Score takes GPU energy, and {totals.label} has none")
    wh_per_joule = WH_PER_KWH * units.kwh_per_1000(1.0) / totals.inference_count
    block = provenance(totals) | {
        "total_is": "GPU energy in Wh per 1,000 inferences",
        "total_low": energy.low * wh_per_joule,
        "total_high": energy.high * wh_per_joule,
        "total_range": "with calibration uncertainty",
        "phases": "not measured apart: all energy is decode_wh, as in ai_energy_benchmarks",
    }
    context = {"wh": energy.value * wh_per_joule, "block": block}
    return json_bytes("ai_energy_score.json.jinja", [context])
