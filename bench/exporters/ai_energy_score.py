"""AI Energy Score's GPU_ENERGY_SUMMARY.json: GPU energy of a run in Wh; null where no GPU was read.

Its three phases are not told apart by our windows, so they are null too, and never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.exporters import Imported, Options, _json
from bench.exporters._figures import Figures, with_energy
from bench.results.record import Result

SUFFIX = ".json"
PHASES = ("preprocess", "prefill", "decode")


def export(results: Sequence[Result], options: Options) -> bytes:
    """One summary a result, with a block of ours that says what is inside the boundary."""
    return _json.write([_summary(found) for found in with_energy(list(results))])


def read(data: bytes) -> list[Imported]:
    """The energy over the whole boundary, as the block of ours says it."""
    return _json.read(data, lambda each: each[_json.NAME])


def _summary(found: Figures) -> dict[str, Any]:
    gpu = found.parts_kwh.get("gpu")
    return {
        "units": "Wh",
        "total": None if gpu is None else 1000 * gpu,
        "format": _json.NAME,
        **{f"{phase}_wh": None for phase in PHASES},
        _json.NAME: _json.ours(found),
    }
