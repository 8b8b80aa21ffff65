"""CPU packages and memory, by Linux powercap (RAPL) or AMD hwmon; one sensor, so over 300 lines."""

from __future__ import annotations

import math
import re
import statistics
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.meters import make_reading
from bench.meters._bracketing import CounterEdge, padding_uncertainty
from bench.meters._edge_poller import EdgePoller, next_steps, poll_until
from bench.system.clock import Clock
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.results.machine_record import Sensor
    from bench.results.record import Reading

METER = "rapl"
ROOT = "/sys/class/powercap"
OPTIONS = ("rapl_root",)
STEP_SECONDS = 0.001  # RAPL updates about every millisecond (Intel SDM, volume 3B)
PAUSE_SECONDS = 0.0001  # between two reads: a tenth of a step
TIMEOUT_SECONDS = 0.01  # ten steps
PROBE_EDGES, PROBE_SECONDS = 20, 0.1  # 20 steps, with a margin for slow reads
STILL_SECONDS = 0.05  # a counter that does not move for 50 steps does not count
# A zone of 65 kJ, the smallest range known (AMD EPYC), would need 2.2 kW to wrap between two reads.
READ_SECONDS = 30.0
HIGHEST_WATTS = 500.0  # of a package, where the tree does not state it: above any TDP on sale
CALIBRATION_HALF_WIDTH = 0.05
CALIBRATION_SOURCE = (
    "assumed: RAPL against external meters differs by a few per cent on recent CPUs"
)


@dataclass(frozen=True)
class RaplZone:
    """One counter of the tree; it wraps to zero at `range_joules`."""

    domain: str
    file: Path
    range_joules: float
    highest_watts: float

    def read(self) -> float:
        """The counter in joules. Raises SensorReadError."""
        try:
            return int(self.file.read_text(encoding="ascii")) / 1e6
        except PermissionError:
            raise SensorReadError(
                f"{self.file} is readable by root alone; `{self.remedy}` opens it"
            ) from None
        except (OSError, ValueError) as error:
            raise SensorReadError(f"{self.file} cannot be read ({error})") from None

    @property
    def remedy(self) -> str:
        """The command that makes this file and all of its kind readable."""
        tree, files = self.file.parent, "energy*_input"
        if self.file.name == "energy_uj":
            tree, files = tree.parent, "intel-rapl:*/energy_uj"
        return f"sudo chmod a+r {tree}/{files}"

    def rise(self, first: float, last: float) -> float:
        """Joules from one value to a later one, with one wrap at most; negative after a reset."""
        wrapped = last < first and math.isfinite(self.range_joules)
        return last - first + (self.range_joules if wrapped else 0.0)

    def may_wrap_again(self, rise: float, seconds: float) -> bool:
        """Whether `rise` joules in so many seconds may have been a complete range more.

        That is so if the power would not be above the highest one of the zone.
        """
        return rise + self.range_joules <= self.highest_watts * seconds


class ZoneTotal:
    """Energy of one zone since its first edge, over any number of wraps that are read in time."""

    def __init__(self, zone: RaplZone, first: CounterEdge | str) -> None:
        self.zone = zone
        self._failure = first if isinstance(first, str) else None
        self._first = self._last = first if isinstance(first, CounterEdge) else None
        self._joules = 0.0
        self._may_have_wrapped_again = False

    def add(self, edge: CounterEdge | str) -> None:
        """Add what was counted since the last edge; a text is the reason of a failed read."""
        if self._last is None or self._failure is not None:
            return
        if isinstance(edge, str):
            self._failure = edge
            return
        rise = self.zone.rise(self._last.joules, edge.joules)
        if rise < 0:
            self._failure = "its counter went backwards, and the range at which it wraps is unknown"
        self._joules += rise
        seconds = edge.seconds - self._last.seconds
        self._may_have_wrapped_again |= self.zone.may_wrap_again(rise, seconds)
        self._last = edge

    def reading(self, began: float, ended: float) -> Reading:
        """The energy from the first edge to the last, scaled to `began` to `ended` (s)."""
        from bench.results.warning_catalogue import make_warning

        domain, failure, joules, uncertainty = self.zone.domain, self._failure, None, None
        if failure is None and self._first is not None and self._last is not None:
            seconds = max(self._last.seconds - self._first.seconds, 1e-9)
            if self._joules == 0 and seconds > STILL_SECONDS:
                failure = "its counter does not move"
            else:
                watts = self._joules / seconds
                joules = watts * (ended - began)
                uncertainty = padding_uncertainty(watts, self._first, self._last, began, ended)
        warnings = []
        if self._may_have_wrapped_again:
            warnings.append(make_warning("counter-wrap-risk", domain=domain))
        if failure:
            warnings.append(make_warning("read-failed", domain=domain, reason=failure))
        return make_reading(domain, METER, "counter", ended - began, joules, uncertainty, warnings)


class RaplWindow:
    """An open window: the total of every zone, read every 30 s in a thread so that no wrap is lost.

    A window below 30 s has no read in it; a read takes some 20 microseconds a zone.
    """

    def __init__(self, totals: list[ZoneTotal], clock: Clock) -> None:
        self.totals = totals
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="joulebench-rapl", daemon=True)
        if any(math.isfinite(total.zone.range_joules) for total in totals):
            self._thread.start()

    def end(self) -> None:
        """End the reading."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(READ_SECONDS):
            add_current(self.totals, self._clock)


class RaplMeter:
    """All packages (`cpu-package:N`) and their memory (`dram:N`), in windows and cumulatively.

    The option `rapl_root` names another tree than /sys/class/powercap. In cumulative mode `so_far`
    must be called more often than a counter wraps.
    """

    name = METER

    def __init__(self, context: MeterContext) -> None:
        self._clock = context.clock
        self._root = Path(context.options.get("rapl_root", ROOT))
        self._zones: list[RaplZone] = []
        self._totals: list[ZoneTotal] = []
        self._sensor: Sensor | None = None
        self._last_shown: dict[str, tuple[float, float]] = {}

    def probe(self) -> Sensor:
        """Which packages can be read, or the file that cannot and the command that opens it."""
        from bench.results.machine_record import Sensor

        unreadable = self._find_zones()
        if not self._zones:
            reason = (
                f"there is no RAPL zone in {self._root}: a virtual machine keeps it from its "
                "guests; on real hardware `sudo modprobe intel_rapl_msr` may bring it"
            )
            reason = unreadable[0] if unreadable else reason
            return Sensor(meter=self.name, usable=False, reason=reason)
        poller = self._poller(self._zones[0])
        poll_until(self._clock, [poller], lambda p: len(p.edges) >= PROBE_EDGES, PROBE_SECONDS)
        steps, rises = poller.steps(), [round(1e6 * rise) for rise in poller.rises()]
        return Sensor(
            meter=self.name,
            usable=True,
            reason=unreadable[0] if unreadable else None,
            domains=tuple(zone.domain for zone in self._zones),
            method="counter",
            step_seconds=statistics.median(steps) if steps else None,
            jitter_seconds=statistics.pstdev(steps) if steps else None,
            quantum_joules=math.gcd(*rises) / 1e6 if rises else None,
            read_cost_seconds=poller.read_cost,
            calibration_relative_half_width=CALIBRATION_HALF_WIDTH,
            calibration_source=CALIBRATION_SOURCE,
        )

    def start(self) -> RaplWindow:
        """The step of every counter just before the window."""
        if not self._zones:
            self.probe()
        return RaplWindow(self._first_steps(), self._clock)

    def stop(self, token: RaplWindow, began: float, ended: float) -> tuple[Reading, ...]:
        """The energy between two steps, scaled to the window: its ends are a step wide."""
        token.end()
        return self._last_steps(token.totals, began, ended)

    def watts(self) -> Mapping[str, float]:
        """Mean power of each domain since the last call, in watts; empty at the first."""
        now = {}
        for zone in self._zones:
            try:
                seconds, joules = self._clock.now(), zone.read()
            except SensorReadError:
                continue
            before = self._last_shown.get(zone.domain)
            self._last_shown[zone.domain] = seconds, joules
            if before is not None and seconds > before[0]:
                now[zone.domain] = zone.rise(before[1], joules) / (seconds - before[0])
        return now

    def open(self) -> None:
        """Cumulative mode: wait for the next step of every counter, about a millisecond."""
        self._find_zones()
        self._totals = self._first_steps()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Cumulative mode: add what was counted since the last call."""
        add_current(self._totals, self._clock)
        return tuple(total.reading(began, now) for total in self._totals)

    def close(self, began: float, ended: float) -> tuple[Reading, ...]:
        """Cumulative mode: as `stop`, since `open`."""
        return self._last_steps(self._totals, began, ended)

    def sensor(self) -> Sensor:
        """As `probe`, which is called once."""
        self._sensor = self._sensor or self.probe()
        return self._sensor

    def _find_zones(self) -> list[str]:
        """Find the zones that can be read; the reasons of those that cannot are returned."""
        self._zones, unreadable = [], []
        for zone in zones(self._root):
            try:
                zone.read()
            except SensorReadError as failure:
                unreadable.append(failure.reason)
            else:
                self._zones.append(zone)
        return unreadable

    def _poller(self, zone: RaplZone) -> EdgePoller:
        return EdgePoller(zone.read, self._clock, STEP_SECONDS, PAUSE_SECONDS)

    def _first_steps(self) -> list[ZoneTotal]:
        return list(map(ZoneTotal, self._zones, self._next_steps(self._zones)))

    def _last_steps(
        self, totals: list[ZoneTotal], began: float, ended: float
    ) -> tuple[Reading, ...]:
        steps = self._next_steps([total.zone for total in totals])
        for total, step in zip(totals, steps, strict=True):
            total.add(step)
        return tuple(total.reading(began, ended) for total in totals)

    def _next_steps(self, zones: list[RaplZone]) -> list[CounterEdge | str]:
        return next_steps(self._clock, [self._poller(zone) for zone in zones], TIMEOUT_SECONDS)


def add_current(totals: list[ZoneTotal], clock: Clock) -> None:
    """Add what every zone counted until now; a failed read ends the total of its zone."""
    for total in totals:
        try:
            total.add(CounterEdge(clock.now(), STEP_SECONDS, total.zone.read()))
        except SensorReadError as failure:
            total.add(failure.reason)


def zones(root: Path) -> list[RaplZone]:
    """The packages and their memory in a powercap tree, readable or not, packages first."""
    packages = [
        (_text(folder / "name"), folder)
        for folder in root.glob("intel-rapl:*")
        if re.fullmatch(r"intel-rapl:\d+", folder.name)
    ]
    packages = sorted((name, folder) for name, folder in packages if name.startswith("package"))
    listed = [_zone(f"cpu-package:{i}", folder) for i, (_, folder) in enumerate(packages)]
    for i, (_, package) in enumerate(packages):
        inside = sorted(root.glob(f"{package.name}:*"))
        listed += [_zone(f"dram:{i}", f) for f in inside if _text(f / "name") == "dram"]
    return listed or _amd_sockets(root.parent / "hwmon")


def _amd_sockets(root: Path) -> list[RaplZone]:
    """The sockets that the driver amd_energy shows; its 64-bit sums do not wrap."""
    labels = [
        (_text(label), label.with_name(label.name.replace("_label", "_input")))
        for folder in root.glob("hwmon*")
        if _text(folder / "name") == "amd_energy"
        for label in folder.glob("energy*_label")
    ]
    sockets = [file for name, file in sorted(labels) if name.startswith("Esocket")]
    return [
        RaplZone(f"cpu-package:{i}", file, math.inf, HIGHEST_WATTS)
        for i, file in enumerate(sockets)
    ]


def _zone(domain: str, folder: Path) -> RaplZone:
    highest = _text(folder / "constraint_0_max_power_uw")
    limit = _text(folder / "max_energy_range_uj")
    watts = int(highest) / 1e6 if highest.isdecimal() else 0.0
    joules = int(limit) / 1e6 if limit.isdecimal() else math.inf
    return RaplZone(domain, folder / "energy_uj", joules, watts or HIGHEST_WATTS)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def build(context: MeterContext) -> RaplMeter:
    """The meter of this machine's CPU packages."""
    return RaplMeter(context)
