"""`joulebench doctor`: what this machine can measure."""

from __future__ import annotations

from bench.commands._options import Device, Json
from bench.exits import or_stop

PANEL = "Measure"


def command(
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Say which sensors this machine has, which are missing, and how to cure that."""
    from bench import machine
    from bench import run as room
    from bench.clock import SystemClock
    from bench.meters import Site

    described = or_stop(lambda: machine.describe(device))
    _, sensors = room.open_meters(None, Site(SystemClock(), described.devices))
    described = described.model_copy(update={"sensors": sensors})
    if as_json:
        print(described.model_dump_json())
        return
    from rich.console import Console

    from bench import doctor as ward

    ward.show(described, Console(highlight=False))
