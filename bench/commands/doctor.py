"""`joulebench doctor`: what this machine can measure."""

from __future__ import annotations

import json

from bench.commands._options import Device, Json
from bench.exits import or_stop

PANEL = "Measure"


def command(
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Say which sensors this machine has, which are missing, and how to cure that."""
    from bench.meters import MeterContext
    from bench.runner import instruments
    from bench.system import device_monitor, machine
    from bench.system.clock import SystemClock

    described = or_stop(lambda: machine.describe_machine(device))
    _, sensors = instruments.open_meters(None, MeterContext(SystemClock(), described.devices))
    described = described.model_copy(update={"sensors": sensors})
    conditions = device_monitor.DeviceMonitor(described).look()
    from bench import doctor as ward

    if as_json:
        found = ward.verdict(described)
        about = {
            **described.model_dump(mode="json"),
            "conditions": [c.model_dump(mode="json") for c in conditions],
            "cures": {s.meter: ward.cure(s.reason) for s in described.sensors if s.reason},
            "good_for": found.words,
            "ranks": found.ranks,
        }
        print(json.dumps(about, ensure_ascii=False))
        return
    from rich.console import Console

    ward.show(described, conditions, Console(highlight=False))
