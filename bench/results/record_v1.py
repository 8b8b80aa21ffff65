"""Reads a record of schema version 1 as one of version 2: the same content under other names.

Version 1 is what JouleBench 0.1.0 wrote. Nothing is computed here; what version 1 did not record
is null, and its analysis is analysis version 1.
"""

from __future__ import annotations

from typing import Any

from bench.results.machine_record import card_id

ANALYSIS_VERSION = 1

# New names of fields, by the field of version 2 that holds them; "" is the record itself.
NAMES = {
    "": {"doubts": "warnings", "gain": "calibration"},
    "warnings": {"cure": "remedy", "bars_ranking": "blocks_ranking"},
    "readings": {"doubts": "warnings"},
    "idle": {"conditions": "device_states"},
    "trials": {"conditions": "device_states"},
    "devices": {"uuid": "card_id"},
    "sensors": {
        "gain_relative_half_width": "calibration_relative_half_width",
        "gain_source": "calibration_source",
    },
    "settings": {"asked_as": "label_method"},
}


def upgrade(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of a version-2 record from the parsed JSON of a version-1 record.

    The input is not changed. A field that version 1 did not have stays as it is, so that the
    schema of version 2 refuses it by name.
    """
    return {**upgrade_program(content), "analysis_version": ANALYSIS_VERSION}


def upgrade_program(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of a version-2 record of a tracked program from those of version 1."""
    return {**_upgraded(content, ""), "schema_version": 2}


def _upgraded(value: Any, field: str) -> Any:
    """The value of a field with the names of version 2, in its parts too."""
    if isinstance(value, list):
        return [_upgraded(item, field) for item in value]
    if not isinstance(value, dict):
        return value
    names = NAMES.get(field, {})
    renamed = {names.get(name) or name: part for name, part in value.items()}
    new = {name: _upgraded(part, name) for name, part in renamed.items()}
    if field == "devices" and isinstance(new.get("card_id"), str):
        new["card_id"] = card_id(new["card_id"])
    # The count of active parameters was a setting in version 1.
    settings = new.get("settings") if field == "model" else None
    if isinstance(settings, dict) and "active_parameter_count" in settings:
        new["active_parameter_count"] = settings.pop("active_parameter_count")
    return new
