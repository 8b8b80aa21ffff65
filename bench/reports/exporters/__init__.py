"""Export forms for other tools: one file a form, found by its name.

The file of a form has `SUFFIX` and `export(results, options) -> bytes`; CodeCarbon's also has
`read(data)`. Every form marks modelled energy, states the range of its energy with calibration
uncertainty, and leaves empty, never 0, a value that could not be read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.results.interval import Interval
from bench.system import registry

if TYPE_CHECKING:
    from bench.impact.regions import Region
    from bench.results.record import Result

EnergyKind = Literal["measured", "modelled", "unknown"]


@dataclass(frozen=True)
class ExportOptions:
    """Values that a form needs and a result does not contain.

    Without a `region` the carbon intensity is unknown, and no form assumes one. `pue` is the power
    usage effectiveness of the data centre, `embodied_kg` the CO2e of making the machine where no
    table has it; `base` is a file to extend, such as a model card; `co2_eq_emissions` adds that
    field to the card; `licence` is that of a report.
    """

    region: Region | None = None
    pue: float | None = None
    embodied_kg: float | None = None
    base: bytes | None = None
    co2_eq_emissions: bool = False
    licence: str | None = None


@dataclass(frozen=True)
class ImportedEnergy:
    """One energy that a file of another tool states; None where the file does not state it.

    `low_kwh` and `high_kwh` are its range with calibration uncertainty, which only JouleBench
    writes. Raises ValueError for an energy or a duration that is negative, infinite or not a
    number.
    """

    label: str
    energy_kwh: float | None
    duration_seconds: float | None
    kind: EnergyKind
    note: str
    low_kwh: float | None = None
    high_kwh: float | None = None

    def __post_init__(self) -> None:
        for figure in (self.energy_kwh, self.duration_seconds, self.low_kwh, self.high_kwh):
            if figure is not None and not 0 <= figure < math.inf:
                raise ValueError(f"{figure} is neither an energy nor a time")

    @property
    def energy(self) -> Interval | None:
        """The energy in kWh with its range; without a width where the file states none."""
        value = self.energy_kwh
        if value is None:
            return None
        low, high = (value if end is None else end for end in (self.low_kwh, self.high_kwh))
        return Interval(value, min(low, value), max(high, value))


def export(name: str, results: Sequence[Result], options: ExportOptions) -> bytes:
    """The results in a form. Raises ValueError for an unknown form or where no energy is known."""
    data: bytes = registry.load("exporter", name).export(results, options)
    return data


def read(name: str, data: bytes) -> list[ImportedEnergy]:
    """The energies in a file of a form. Raises ValueError where the file is not of this form."""
    module = registry.load("exporter", name)
    if not hasattr(module, "read"):
        raise ValueError(f"{name} is an export form only; codecarbon can be read")
    energies: list[ImportedEnergy] = module.read(data)
    return energies
