"""Reads a record of schema version 1 as one of version 2: the same content under other names.

Version 1 is what JouleBench 0.1.0 wrote. Nothing is computed here; what version 1 did not record
is null, and its analysis is analysis version 1.
"""

from __future__ import annotations

from typing import Any

from bench.results.machine_record import card_id

ANALYSIS_VERSION = 1


def upgrade(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of a version-2 record from the parsed JSON of a version-1 record.

    The input is not changed. A field that version 1 did not have stays as it is, so that the
    schema of version 2 refuses it by name.
    """
    new = _renamed(content, {"doubts": "warnings", "gain": "calibration"})
    new["schema_version"] = 2
    new["analysis_version"] = ANALYSIS_VERSION
    _replace(new, "warnings", _warnings)
    _replace(new, "machine", _machine)
    _replace(new, "model", _model)
    _replace(new, "idle", _windows)
    _replace(new, "trials", _windows)
    return new


def upgrade_program(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of a version-2 record of a tracked program from those of version 1."""
    new = _renamed(content, {"doubts": "warnings", "gain": "calibration"})
    new["schema_version"] = 2
    _replace(new, "warnings", _warnings)
    _replace(new, "readings", lambda readings: _each(readings, _reading))
    _replace(new, "machine", _machine)
    return new


def _windows(value: Any) -> Any:
    return _each(value, _window)


def _window(value: dict[str, Any]) -> dict[str, Any]:
    new = _renamed(value, {"conditions": "device_states"})
    _replace(new, "readings", lambda readings: _each(readings, _reading))
    return new


def _reading(value: dict[str, Any]) -> dict[str, Any]:
    new = _renamed(value, {"doubts": "warnings"})
    _replace(new, "warnings", _warnings)
    return new


def _warnings(value: Any) -> Any:
    names = {"cure": "remedy", "bars_ranking": "blocks_ranking"}
    return _each(value, lambda item: _renamed(item, names))


def _machine(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    names = {
        "gain_relative_half_width": "calibration_relative_half_width",
        "gain_source": "calibration_source",
    }
    new = dict(value)
    _replace(new, "devices", lambda devices: _each(devices, _device))
    _replace(new, "sensors", lambda sensors: _each(sensors, lambda s: _renamed(s, names)))
    return new


def _model(value: Any) -> Any:
    """A text classifier's setting `asked_as` has a new name; the count of active parameters, which
    version 1 had as a setting, is a field."""
    if not isinstance(value, dict) or not isinstance(value.get("settings"), dict):
        return value
    settings = _renamed(value["settings"], {"asked_as": "label_method"})
    new = {**value, "settings": settings}
    if "active_parameter_count" in settings:
        new["active_parameter_count"] = settings.pop("active_parameter_count")
    return new


def _device(value: dict[str, Any]) -> dict[str, Any]:
    new = _renamed(value, {"uuid": "card_id"})
    _replace(new, "card_id", lambda uuid: card_id(uuid) if isinstance(uuid, str) else uuid)
    return new


def _each(value: Any, change: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [change(item) if isinstance(item, dict) else item for item in value]


def _replace(content: dict[str, Any], name: str, change: Any) -> None:
    if name in content:
        content[name] = change(content[name])


def _renamed(content: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in content.items()}
