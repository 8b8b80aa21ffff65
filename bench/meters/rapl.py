"""CPU packages and memory; cumulative mode."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.meters._bracketing import CounterEdge
from bench.meters._edge_poller import EdgePoller, SensorReadError, poll_until

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading

ROOT = "/sys/class/powercap"
STEP_SECONDS = 0.001
PAUSE_SECONDS = 0.0001
PATIENCE_SECONDS = 0.01
PROBE_SECONDS = 0.1
STILL_SECONDS = 0.05  # a counter that stands still for so long is dead
HIGHEST_WATTS = 500.0  # where the tree doesn't say how much a package may draw
OPTIONS = ("rapl_root",)
CALIBRATION_HALF_WIDTH = 0.05
CALIBRATION_SOURCE = (
    "assumed: RAPL against external meters differs by a few per cent on recent CPUs"
)


@dataclass(frozen=True)
class RaplZone:
    """One counter of the tree; `range_joules` is where it wraps to zero."""

    domain: str
    file: Path
    range_joules: float
    highest_watts: float

    def read(self) -> float:
        """The counter in joules. Raises CannotRead."""
        try:
            return int(self.file.read_text(encoding="ascii")) / 1e6
        except PermissionError:
            raise SensorReadError(
                f"{self.file} is readable by root alone; `{self.remedy}` opens it"
            ) from None
        except (OSError, ValueError) as error:
            raise SensorReadError(f"{self.file} can't be read ({error})") from None

    @property
    def remedy(self) -> str:
        """The command that opens this file and all of its kind."""
        tree = self.file.parent
        files = f"{tree.parent}/intel-rapl:*/energy_uj"
        if self.file.name != "energy_uj":
            files = f"{tree}/energy*_input"
        return f"sudo chmod a+r {files}"


class RaplMeter:
    """All packages (`cpu-package:N`) and their memory (`dram:N`).

    The option `rapl_root` names another tree than /sys/class/powercap.
    """

    name = "rapl"

    def __init__(self, site: MeterContext) -> None:
        self._clock = site.clock
        self._root = Path(site.options.get("rapl_root", ROOT))
        self._zones: list[RaplZone] = []
        self._shown: dict[str, tuple[float, float]] = {}

    def probe(self) -> Sensor:
        """Which packages can be read, or the file that can't and the command that opens it."""
        from bench.results.machine_record import Sensor

        found = zones(self._root)
        self._zones, refused = [], []
        for zone in found:
            try:
                zone.read()
            except SensorReadError as failure:
                refused.append(failure.reason)
            else:
                self._zones.append(zone)
        if not self._zones:
            reason = refused[0] if refused else self._why_none()
            return Sensor(meter=self.name, usable=False, reason=reason)
        watch = self._watch(self._zones[0])
        poll_until(self._clock, [watch], lambda w: len(w.edges) >= 20, PROBE_SECONDS)
        steps = [new.seconds - old.seconds for old, new in itertools.pairwise(watch.edges)]
        return Sensor(
            meter=self.name,
            usable=True,
            reason=refused[0] if refused else None,
            domains=tuple(zone.domain for zone in self._zones),
            method="counter",
            step_seconds=statistics.median(steps) if steps else None,
            jitter_seconds=statistics.pstdev(steps) if steps else None,
            quantum_joules=_quantum(watch.edges),
            read_cost_seconds=statistics.median(watch.costs),
            calibration_relative_half_width=CALIBRATION_HALF_WIDTH,
            calibration_source=CALIBRATION_SOURCE,
        )

    def _why_none(self) -> str:
        return (
            f"there is no RAPL zone in {self._root}: a virtual machine keeps it from its guests; "
            "on real hardware `sudo modprobe intel_rapl_msr` may bring it"
        )

    def _watch(self, zone: RaplZone) -> EdgePoller:
        return EdgePoller(zone.read, self._clock, STEP_SECONDS, PAUSE_SECONDS)

    def _steps(self) -> dict[str, CounterEdge | str]:
        """The next step of every counter, or why it can't be read; a still one is read as it is."""
        watches = {zone.domain: self._watch(zone) for zone in self._zones}
        poll_until(self._clock, list(watches.values()), lambda w: bool(w.edges), PATIENCE_SECONDS)
        return {domain: watch.failure or watch.newest() for domain, watch in watches.items()}

    def start(self) -> Mapping[str, CounterEdge | str]:
        """The step of every counter just before the window."""
        if not self._zones:
            self.probe()
        return self._steps()

    def stop(
        self, mark: Mapping[str, CounterEdge | str], began: float, ended: float
    ) -> tuple[Reading, ...]:
        """The energy between two steps, scaled to the window: the ends are a millisecond wide."""
        last = self._steps()
        return tuple(
            self._reading(zone, mark[zone.domain], last[zone.domain], began, ended)
            for zone in self._zones
        )

    def _reading(
        self,
        zone: RaplZone,
        first: CounterEdge | str,
        last: CounterEdge | str,
        began: float,
        ended: float,
    ) -> Reading:
        from bench.results.record import Reading
        from bench.results.warning_catalogue import make_warning

        energy = spread = None
        warnings = []
        failure = next((side for side in (first, last) if isinstance(side, str)), None)
        if isinstance(first, CounterEdge) and isinstance(last, CounterEdge):
            used = rise(zone, first.joules, last.joules)
            seconds = max(last.seconds - first.seconds, 1e-9)
            if used < 0:
                failure = "its counter went backwards, and nobody says where it wraps"
            elif used == 0 and seconds > STILL_SECONDS:
                failure = "its counter does not move"
            else:
                energy = used * (ended - began) / seconds
                spread = spread_of(used / seconds, first, last, began, ended)
            if (ended - began) * zone.highest_watts > zone.range_joules / 2:
                warnings.append(make_warning("counter-wrap-risk", domain=zone.domain))
        if failure:
            warnings.append(make_warning("read-failed", domain=zone.domain, reason=failure))
        return Reading(
            domain=zone.domain,
            meter=self.name,
            method="counter",
            energy_joules=energy,
            standard_uncertainty_joules=spread,
            duration_seconds=ended - began,
            warnings=tuple(warnings),
        )

    def watts(self) -> Mapping[str, float]:
        """Mean power of each domain since the last call, in watts; empty at the first."""
        now = {}
        for zone in self._zones:
            try:
                seconds, joules = self._clock.now(), zone.read()
            except SensorReadError:
                continue
            before = self._shown.get(zone.domain)
            self._shown[zone.domain] = seconds, joules
            if before is not None and seconds > before[0]:
                used = rise(zone, before[1], joules)
                now[zone.domain] = used / (seconds - before[0])
        return now


def zones(root: Path) -> list[RaplZone]:
    """The packages and their memory in a powercap tree, readable or not, packages first."""
    packages = [
        (_text(folder / "name"), folder)
        for folder in root.glob("intel-rapl:*")
        if re.fullmatch(r"intel-rapl:\d+", folder.name)
    ]
    packages = sorted((name, folder) for name, folder in packages if name.startswith("package"))
    found = [_zone(f"cpu-package:{i}", folder) for i, (_, folder) in enumerate(packages)]
    for i, (_, package) in enumerate(packages):
        inside = sorted(root.glob(f"{package.name}:*"))
        found += [_zone(f"dram:{i}", f) for f in inside if _text(f / "name") == "dram"]
    return found or _sockets(root.parent / "hwmon")


def _sockets(root: Path) -> list[RaplZone]:
    """The sockets that the driver amd_energy shows; its sums are as wide as they need to be."""
    labels = [
        (_text(label), label.with_name(label.name.replace("_label", "_input")))
        for folder in root.glob("hwmon*")
        if _text(folder / "name") == "amd_energy"
        for label in folder.glob("energy*_label")
    ]
    sockets = sorted((name, file) for name, file in labels if name.startswith("Esocket"))
    return [
        RaplZone(f"cpu-package:{i}", file, math.inf, HIGHEST_WATTS)
        for i, (_, file) in enumerate(sockets)
    ]


def rise(zone: RaplZone, first: float, last: float) -> float:
    """Joules from one reading to a later one, over one wrap at most."""
    wrapped = last < first and math.isfinite(zone.range_joules)
    return last - first + (zone.range_joules if wrapped else 0.0)


def _zone(domain: str, folder: Path) -> RaplZone:
    highest = _text(folder / "constraint_0_max_power_uw")
    reach = _text(folder / "max_energy_range_uj")
    watts = int(highest) / 1e6 if highest.isdecimal() else 0.0
    joules = int(reach) / 1e6 if reach.isdecimal() else math.inf
    return RaplZone(domain, folder / "energy_uj", joules, watts or HIGHEST_WATTS)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _quantum(edges: list[CounterEdge]) -> float | None:
    rises = [round(1e6 * (new.joules - old.joules)) for old, new in itertools.pairwise(edges)]
    return math.gcd(*rises) / 1e6 if rises else None


def spread_of(
    watts: float, first: CounterEdge, last: CounterEdge, began: float, ended: float
) -> float:
    """Power in the padding may be anything up to twice the mean: flat, in joules."""
    pads = math.hypot(began - first.seconds, last.seconds - ended) / 3**0.5
    gaps = math.hypot(first.gap_seconds, last.gap_seconds) / 12**0.5
    return watts * math.hypot(pads, gaps)


def build(site: MeterContext) -> RaplMeter:
    """The meter of this machine's CPU packages."""
    return RaplMeter(site)


class RaplTally(RaplMeter):
    """All packages and their memory. It must be asked more often than a counter wraps around."""

    def __init__(self, site: MeterContext) -> None:
        super().__init__(site)
        self._first: dict[str, CounterEdge] = {}
        self._last: dict[str, CounterEdge] = {}
        self._used: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        self._said: Sensor | None = None

    def begin(self) -> None:
        """Wait for the next step of every counter, about a millisecond."""
        self._zones = [zone for zone in zones(self._root) if _readable(zone)]
        for domain, step in self._steps().items():
            self._used[domain] = 0.0
            if isinstance(step, CounterEdge):
                self._first[domain] = self._last[domain] = step
            else:
                self._failed[domain] = step

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Add what was drawn since the last look."""
        for zone in self._zones:
            if zone.domain in self._failed:
                continue
            try:
                seen = CounterEdge(self._clock.now(), 0.001, zone.read())
            except SensorReadError as failure:
                self._failed[zone.domain] = failure.reason
                continue
            self._add(zone, seen)
        return tuple(self._total(zone, began, now) for zone in self._zones)

    def sensor(self) -> Sensor:
        """As `probe`, once."""
        self._said = self._said or self.probe()
        return self._said

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """One more step of every counter."""
        for domain, step in self._steps().items():
            zone = next(zone for zone in self._zones if zone.domain == domain)
            if isinstance(step, CounterEdge) and domain not in self._failed:
                self._add(zone, step)
            elif not isinstance(step, CounterEdge):
                self._failed[domain] = step
        return tuple(self._total(zone, began, ended) for zone in self._zones)

    def _add(self, zone: RaplZone, seen: CounterEdge) -> None:
        used = rise(zone, self._last[zone.domain].joules, seen.joules)
        if used < 0:
            self._failed[zone.domain] = "its counter went backwards, and nobody says where it wraps"
        self._used[zone.domain] += used
        self._last[zone.domain] = seen

    def _total(self, zone: RaplZone, began: float, ended: float) -> Reading:
        from bench.results.record import Reading
        from bench.results.warning_catalogue import make_warning

        failure = self._failed.get(zone.domain)
        energy = doubtful = None
        if failure is None:
            first, last = self._first[zone.domain], self._last[zone.domain]
            watts = self._used[zone.domain] / max(last.seconds - first.seconds, 1e-9)
            energy = watts * (ended - began)
            doubtful = spread_of(watts, first, last, began, ended)
            if self._used[zone.domain] == 0 and ended - began > 1:
                failure, energy, doubtful = "its counter does not move", None, None
        return Reading(
            domain=zone.domain,
            meter=self.name,
            method="counter",
            energy_joules=energy,
            standard_uncertainty_joules=doubtful,
            duration_seconds=ended - began,
            warnings=(make_warning("read-failed", domain=zone.domain, reason=failure),)
            if failure
            else (),
        )


def _readable(zone: RaplZone) -> bool:
    try:
        zone.read()
    except SensorReadError:
        return False
    return True
