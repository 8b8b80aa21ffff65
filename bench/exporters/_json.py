"""JSON that several forms share: one object for one result, a list for more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench.exporters import Imported
from bench.exporters._figures import Figures

NAME = "joulebench"


def write(objects: list[dict[str, Any]]) -> bytes:
    """The objects as JSON; floats keep every digit."""
    content = objects[0] if len(objects) == 1 else objects
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def ours(found: Figures) -> dict[str, Any]:
    """What a form has no field for: where the energy comes from, over what, and of which run."""
    result, per_1000 = found.result, found.per_1000
    return {
        "version": result.joulebench_version,
        "run_id": result.run_id,
        "created_at": result.created_at,
        "label": found.label,
        "kind": found.kind,
        "statement": found.how,
        "boundary": list(result.boundary.domains),
        "energy_kwh": found.energy_kwh,
        "duration_seconds": found.duration_seconds,
        "inference_count": found.inference_count,
        "energy_kwh_per_1000": per_1000
        and {"value": per_1000.value, "low": per_1000.low}
        | {"high": per_1000.high, "confidence_level": per_1000.confidence_level},
    }


def read(data: bytes, block: Callable[[dict[str, Any]], Any]) -> list[Imported]:
    """What the `ours` of each object says; `block` finds it.

    Raises ValueError where the file is not JSON or an object has none.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    objects = content if isinstance(content, list) else [content]
    try:
        return [imported(block(each)) for each in objects]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(
            "not a file of JouleBench in this form: its own block is missing"
        ) from None


def imported(block: dict[str, Any]) -> Imported:
    """An `ours` as what it says. Raises KeyError, TypeError or ValueError where it is none."""
    return Imported(
        label=str(block["label"]),
        energy_kwh=float(block["energy_kwh"]),
        duration_seconds=float(block["duration_seconds"]),
        inference_count=int(block["inference_count"]),
        kind="modelled" if block["kind"] == "modelled" else "measured",
        note="",
    )
