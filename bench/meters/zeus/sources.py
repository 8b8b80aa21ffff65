"""The sources that the package zeus can read: AMD GPUs, Apple silicon, Jetson; one a domain.

Domains name what the vendor's sensor covers. `gpu:N` is a whole AMD GPU (numbered after NVIDIA's,
in the order in which HIP shows them). `soc-cpu:0`, `soc-gpu:0` and `soc-ane:0` are parts of one
chip: together less than that chip, and no `cpu-package:0`, which has caches, fabric and I/O inside.
`module:0` is all that enters a Jetson module; where it can be read the rails inside it are not, so
that nothing is counted twice. NVIDIA GPUs and RAPL have meters of their own and are left out.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.meters import MeterContext
from bench.results.domains import gpu_domain
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.results.machine_record import Method

Kind = Literal["counter", "polled", "power", "average power"]
JETSON_STEP_SECONDS = 0.1  # zeus reads a Jetson's power this often, in a process of its own
_KINDS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("sources.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class ZeusSource:
    """One domain: `read` gives joules since some moment, or watts where the kind is a power.

    The only exception of `read` is SensorReadError. `calibration` is a relative half-width with its
    source. A part that `may_rest` can draw no power at all: its counter may not move.
    """

    domain: str
    read: Callable[[], float]
    kind: Kind
    calibration: tuple[float, str]
    may_rest: bool = False

    @property
    def method(self) -> Method:
        """How energy is read: from the device's counter, or integrated from power."""
        return "counter" if self.kind == "counter" else "integrated"

    @property
    def averaged(self) -> bool:
        """Whether a reading holds power of up to a second before it."""
        return self.kind == "average power"


@dataclass(frozen=True)
class ZeusSources:
    """The sources that can be read, and a clause for each device that cannot."""

    sources: tuple[ZeusSource, ...]
    unreadable: tuple[str, ...]


def find_sources(context: MeterContext) -> ZeusSources:
    """Every source of this machine. Raises SensorReadError where zeus cannot be imported."""
    try:
        import_module("zeus.device")
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.split(".")[0] == "zeus":
            raise SensorReadError(
                "the package zeus, which reads AMD GPUs, Apple silicon and Jetson, is not "
                "installed: `pip install joulebench[zeus]`"
            ) from None
        raise SensorReadError(f"zeus cannot be imported ({missing})") from None
    except ImportError as error:
        raise SensorReadError(f"zeus cannot be imported ({error})") from None
    sources: list[ZeusSource] = []
    unreadable: list[str] = []
    for maker, list_sources in (("AMD", _amd), ("Apple", _apple), ("Jetson", _jetson)):
        open_sources = _guarded(f"{maker}: zeus cannot open it", partial(list_sources, context))
        try:
            sources += open_sources()
        except SensorReadError as failure:
            unreadable.append(failure.reason)
    return ZeusSources(tuple(sources), tuple(unreadable))


def reason_without_source() -> str:
    """Why there is no source, where no device is unreadable either."""
    if sys.platform == "darwin":
        return "zeus finds no Apple silicon: `pip install zeus-apple-silicon` on such a Mac"
    return (
        "zeus finds no AMD GPU (it needs ROCm's amd-smi library, 6.2 or newer), no Apple silicon "
        "and no Jetson"
    )


def _guarded(subject: str, call: Callable[[], Any]) -> Callable[[], Any]:
    """A call into zeus whose only exception is SensorReadError; `subject` begins its reason."""

    def call_guarded() -> Any:
        try:
            return call()
        except SensorReadError:
            raise
        except Exception as error:
            # zeus calls three vendors' libraries; any exception of theirs means no reading.
            message = " ".join(str(error).split())
            reason = f"{subject} ({type(error).__name__}: {message})"
            raise SensorReadError(reason[:400]) from error

    return call_guarded


def _amd(context: MeterContext) -> list[ZeusSource]:
    """Every AMD GPU that HIP_VISIBLE_DEVICES shows, by its number among them."""
    amd = import_module("zeus.device.gpu.amd")
    if not amd.amdsmi_is_available():
        return []
    numbers = [int(d.domain.partition(":")[2]) for d in context.devices if d.is_gpu]
    first = 1 + max(numbers, default=-1)
    gpus = enumerate(amd.AMDGPUs().gpus, start=first)
    return [_amd_gpu(gpu_domain(number), gpu) for number, gpu in gpus]


def _amd_gpu(domain: str, gpu: Any) -> ZeusSource:
    """The counter of a GPU; where zeus rejects it, its momentary or its average power."""

    def source(maker: str, read: Callable[[], int], kind: Kind) -> ZeusSource:
        read_milli = _guarded(domain, read)  # millijoules or milliwatts
        half_width, text = _calibration(maker)
        if "MI250" in _name(gpu):
            text += "; on this GPU one figure covers both of its chips"
        return ZeusSource(domain, lambda: read_milli() / 1000, kind, (half_width, text))

    if gpu.supports_get_total_energy_consumption():
        return source("amd", gpu.get_total_energy_consumption, "counter")
    try:
        _guarded(domain, gpu.get_instant_power_usage)()
    except SensorReadError:
        return source("amd-power", gpu.get_average_power_usage, "average power")
    return source("amd-power", gpu.get_instant_power_usage, "power")


def _name(gpu: Any) -> str:
    try:
        return str(_guarded("name", gpu.get_name)())
    except SensorReadError:
        return ""


def _apple(context: MeterContext) -> list[ZeusSource]:
    """The parts of an Apple chip that are disjoint: GPU SRAM may lie inside the GPU's figure."""
    apple = import_module("zeus.device.soc.apple")
    if not apple.apple_silicon_is_available():
        return []
    return _parts(apple.AppleSilicon(), "apple")


def _jetson(context: MeterContext) -> list[ZeusSource]:
    """The module where its input is measured, else the rails of CPU and GPU."""
    jetson = import_module("zeus.device.soc.jetson")
    if not jetson.jetson_is_available():
        return []
    board = jetson.Jetson()
    has_module = "total_energy_mj" in board.get_available_metrics()
    return _parts(board, "jetson-module" if has_module else "jetson-rails")


def _parts(chip: Any, maker: str) -> list[ZeusSource]:
    """The parts of a chip that zeus can read."""
    kind, resting = _KINDS[maker]["kind"], _KINDS[maker].get("may_rest", ())
    metrics = chip.get_available_metrics()
    return [
        ZeusSource(d, _joules_reader(chip, d, metric), kind, _calibration(maker), d in resting)
        for d, metric in _KINDS[maker]["parts"].items()
        if metric in metrics
    ]


def _calibration(maker: str) -> tuple[float, str]:
    return _KINDS[maker]["relative_half_width"], _KINDS[maker]["source"]


def _joules_reader(chip: Any, domain: str, metric: str) -> Callable[[], float]:
    total = _guarded(domain, chip.get_total_energy_consumption)

    def read() -> float:
        millijoules = getattr(total(), metric)
        if millijoules is None:
            raise SensorReadError(f"{domain}: zeus no longer reports it")
        return float(millijoules) / 1000

    return read
