"""NVIDIA's management library; over 300 lines, because no other file may call the library."""

from __future__ import annotations

import csv
import ctypes
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from bench.results.domains import gpu_domain
from bench.results.throttling import ThrottleReason
from bench.system import _nvml_processes
from bench.system.sensor_error import SensorReadError

_HELD_BY_SETTING = 0x02  # ...ReasonApplicationsClocksSetting: a setting limits the clocks
_NEAR_MHZ = 15  # clocks move in steps of this
_TOO_OLD = 13
_AVERAGE_FIELD, _INSTANT_FIELD = 185, 186  # NVML_FI_DEV_POWER_AVERAGE and POWER_INSTANT
# The newest compute capability whose PowerUsage is instantaneous: GA100 (A100, A30). NVML's
# reference: "On Ampere (except GA100) or newer GPUs, the API returns power averaged over 1 sec
# interval. On GA100 and older architectures, instantaneous power is returned." Other Ampere GPUs
# have 8.6 and 8.7.
_INSTANT_USAGE_UP_TO = (8, 0)


def _codes(kind: str) -> dict[int, str]:
    """NVML's codes of one kind, with our words for them."""
    with Path(__file__).with_name("nvidia_codes.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == kind]
    return {int(row["code"]): row["value"] for row in rows}


_REASONS = _codes("error")
# Of nvmlDeviceGetCurrentClocksEventReasons.
_THROTTLE_BITS = {b: ThrottleReason(name) for b, name in _codes("clock event bit").items()}
_THROTTLE_COUNTERS = {
    field: ThrottleReason(name) for field, name in _codes("throttle counter field").items()
}


class NvidiaUnavailable(SensorReadError):
    """NVIDIA's library cannot be used at all."""


class NvmlReadError(SensorReadError):
    """One reading failed."""


@dataclass(frozen=True)
class GpuInfo:
    """One GPU as the driver lists it, for use before pydantic is imported. None: not reported.

    `index` is the driver's (PCI order).
    """

    index: int
    uuid: str
    name: str
    memory_bytes: int | None = None
    power_limit_watts: float | None = None
    default_power_limit_watts: float | None = None
    driver_version: str | None = None
    clock_mhz: float | None = None
    max_clock_mhz: float | None = None
    mig_enabled: bool | None = None
    mig_uuids: tuple[str, ...] = ()
    used: bool = True
    is_gpu: ClassVar[bool] = True

    @property
    def domain(self) -> str:
        """The domain of its energy, such as "gpu:0"."""
        return gpu_domain(self.index)


PowerKind = Literal["instant", "average"]


@dataclass(frozen=True)
class PowerReading:
    """Power in watts, and whether it is of this instant or averaged (over a second)."""

    watts: float
    kind: PowerKind


_initialised_in: int | None = None
_handles: dict[str, Any] = {}
_missing_fields: set[tuple[str, int]] = set()
_usage_kinds: dict[str, PowerKind] = {}


def _reason(code: int) -> str:
    return _REASONS.get(code, f"the driver answered with error {code}")


def _library() -> Any:
    """The binding, initialised once per process. Raises NvidiaUnavailable."""
    global _initialised_in
    try:
        _check_driver()
        import pynvml
    except ImportError:
        raise NvidiaUnavailable("the package nvidia-ml-py is not installed") from None
    if _initialised_in != os.getpid():
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise NvidiaUnavailable(_reason(error.value)) from None
        _handles.clear()
        _initialised_in = os.getpid()
    return pynvml


def _check_driver() -> None:
    """Raise NvidiaUnavailable where there is no driver, before the slower import of the binding."""
    if _initialised_in is not None or not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        raise NvidiaUnavailable(_REASONS[12]) from None


def _call(name: str, *arguments: Any) -> Any:
    """Call a function of the binding. Raises NvmlReadError, also where nobody has the function."""
    library = _library()
    function = getattr(library, name, None)
    if function is None:
        reason = f"the package nvidia-ml-py is too old to have {name}"
        raise NvmlReadError(reason, unsupported=True)
    try:
        return function(*arguments)
    except library.NVMLError as error:
        raise _read_error(error.value) from None
    except library.NVMLLibraryMismatchError:  # of a function that the driver lacks; no NVMLError
        raise _read_error(_TOO_OLD) from None


def _read_error(code: int) -> NvmlReadError:
    return NvmlReadError(_reason(code), unsupported=code in {3, _TOO_OLD})


def _call_or_none(function: str, *arguments: Any) -> Any:
    try:
        return _call(function, *arguments)
    except NvmlReadError:
        return None


def _handle(uuid: str) -> Any:
    _library()
    if uuid not in _handles:
        _handles[uuid] = _call("nvmlDeviceGetHandleByUUID", uuid)
    return _handles[uuid]


def list_gpus() -> tuple[GpuInfo, ...]:
    """Every GPU that responds, in the driver's order (PCI bus). Raises NvidiaUnavailable."""
    try:
        count = _call("nvmlDeviceGetCount")
    except NvmlReadError as failure:
        raise NvidiaUnavailable(failure.reason) from None
    gpus = []
    for index in range(count):
        try:
            gpus.append(_gpu(index, _call("nvmlDeviceGetHandleByIndex", index)))
        except NvmlReadError:
            continue  # a lost GPU has no handle, and nothing can run on it
    return tuple(gpus)


def _gpu(index: int, handle: Any) -> GpuInfo:
    memory = _call_or_none("nvmlDeviceGetMemoryInfo", handle)
    limit = _call_or_none("nvmlDeviceGetPowerManagementLimit", handle)
    default = _call_or_none("nvmlDeviceGetPowerManagementDefaultLimit", handle)
    mig = _call_or_none("nvmlDeviceGetMigMode", handle)
    return GpuInfo(
        index=index,
        uuid=_call("nvmlDeviceGetUUID", handle),
        name=_call("nvmlDeviceGetName", handle),
        memory_bytes=None if memory is None else int(memory.total),
        power_limit_watts=None if limit is None else limit / 1000,
        default_power_limit_watts=None if default is None else default / 1000,
        driver_version=_call_or_none("nvmlSystemGetDriverVersion"),
        clock_mhz=_call_or_none("nvmlDeviceGetClockInfo", handle, 1),
        max_clock_mhz=_call_or_none("nvmlDeviceGetMaxClockInfo", handle, 1),
        mig_enabled=None if mig is None else bool(mig[0]),
        mig_uuids=_mig_uuids(handle) if mig and mig[0] else (),
    )


def _mig_uuids(handle: Any) -> tuple[str, ...]:
    count = _call_or_none("nvmlDeviceGetMaxMigDeviceCount", handle) or 0
    slices = [_call_or_none("nvmlDeviceGetMigDeviceHandleByIndex", handle, i) for i in range(count)]
    names = [_call_or_none("nvmlDeviceGetUUID", s) for s in slices if s is not None]
    return tuple(name for name in names if name is not None)


def covers_module(name: str) -> bool:
    """Whether the energy counter of a GPU of this name covers its module with CPU and memory.

    These are the superchips: GH200, GB200 and GB300.
    """
    return bool(re.search(r"\bG[HB][23]00\b|\bGrace\b", name))


def energy_joules(uuid: str) -> float:
    """The GPU's total energy counter in joules. Raises SensorReadError."""
    return float(_call("nvmlDeviceGetTotalEnergyConsumption", _handle(uuid))) / 1000


def power(uuid: str) -> PowerReading:
    """Power now: instantaneous if the GPU gives that, else averaged. Raises SensorReadError."""
    instant = _field_watts(uuid, _INSTANT_FIELD)
    if instant is not None:
        return PowerReading(instant, "instant")
    if _usage_kind(uuid) == "instant":
        return PowerReading(_usage_watts(uuid), "instant")
    return PowerReading(average_watts(uuid), "average")


def average_watts(uuid: str) -> float:
    """The driver's average over a second: field 185, or PowerUsage where it is one.

    Raises SensorReadError, with `unsupported` set where this GPU gives instantaneous power only.
    """
    average = _field_watts(uuid, _AVERAGE_FIELD)
    if average is not None:
        return average
    if _usage_kind(uuid) == "instant":
        raise NvmlReadError("the GPU gives instantaneous power only", unsupported=True)
    return _usage_watts(uuid)


def _usage_watts(uuid: str) -> float:
    return float(_call("nvmlDeviceGetPowerUsage", _handle(uuid))) / 1000


def _usage_kind(uuid: str) -> PowerKind:
    """What PowerUsage is on this GPU; average where its compute capability is not known."""
    if uuid not in _usage_kinds:
        capability = _call_or_none("nvmlDeviceGetCudaComputeCapability", _handle(uuid))
        instant = capability is not None and tuple(capability) <= _INSTANT_USAGE_UP_TO
        _usage_kinds[uuid] = "instant" if instant else "average"
    return _usage_kinds[uuid]


def _field_watts(uuid: str, field: int) -> float | None:
    """A power field in watts; None where the card or the driver doesn't have it."""
    if (uuid, field) in _missing_fields:
        return None
    try:
        value = _call("nvmlDeviceGetFieldValues", _handle(uuid), [field])[0]
        if value.nvmlReturn in {4, 15}:  # forbidden, lost: PowerUsage would fail as well
            raise _read_error(value.nvmlReturn)
        if value.nvmlReturn == 0:
            return float(value.value.uiVal) / 1000
    except NvmlReadError as failure:
        if not failure.unsupported:
            raise
    _missing_fields.add((uuid, field))
    return None


def temperature_celsius(uuid: str) -> float:
    """The GPU's core temperature in °C. Raises SensorReadError."""
    return float(_call("nvmlDeviceGetTemperature", _handle(uuid), 0))


def clock_mhz(uuid: str) -> float:
    """The present clock of the streaming multiprocessors in MHz. Raises SensorReadError."""
    return float(_call("nvmlDeviceGetClockInfo", _handle(uuid), 1))


def throttle_reasons(uuid: str) -> tuple[ThrottleReason, ...]:
    """Why the clocks are held down now. Raises SensorReadError."""
    bits = _event_reasons(_handle(uuid))
    return tuple(reason for bit, reason in _THROTTLE_BITS.items() if bits & bit)


def _event_reasons(handle: Any) -> int:
    try:
        return int(_call("nvmlDeviceGetCurrentClocksEventReasons", handle))
    except NvmlReadError as failure:
        if not failure.unsupported:
            raise
        # its name before 2023
        return int(_call("nvmlDeviceGetCurrentClocksThrottleReasons", handle))


def throttled_seconds(uuid: str) -> dict[ThrottleReason, float]:
    """Seconds since the driver was loaded for which each reason held the clocks down.

    A reason that the driver does not count is left out. Raises SensorReadError.
    """
    try:
        values = _call("nvmlDeviceGetFieldValues", _handle(uuid), list(_THROTTLE_COUNTERS))
    except NvmlReadError as failure:
        if failure.unsupported:
            return {}
        raise
    known = [value for value in values if value.nvmlReturn == 0]
    return {_THROTTLE_COUNTERS[v.fieldId]: v.value.ullVal / 1e9 for v in known}


def clock_settings(uuid: str) -> tuple[ThrottleReason, ...]:
    """The clock settings that differ from the default: application clocks, locked clocks.

    NVML reports application clocks and their default. It does not report locked clocks: they are
    inferred from a clock that a setting limits, and not the default. Raises SensorReadError.
    """
    handle = _handle(uuid)
    reasons: list[ThrottleReason] = []
    kept = None
    for kind in (1, 2):  # of the streaming multiprocessors, and of the memory
        now = _call_or_none("nvmlDeviceGetApplicationsClock", handle, kind)
        default = _call_or_none("nvmlDeviceGetDefaultApplicationsClock", handle, kind)
        if now is not None and default is not None and now != default:
            reasons.append(ThrottleReason.application_clocks)
        kept = default if kind == 1 else kept
    if not reasons and _event_reasons(handle) & _HELD_BY_SETTING:
        clock = clock_mhz(uuid)
        if kept is None or abs(clock - kept) > _NEAR_MHZ:
            reasons.append(ThrottleReason.locked_clocks)
    return tuple(dict.fromkeys(reasons))


def processes(uuid: str, graphics: bool = True) -> frozenset[int]:
    """The ids of all processes on the GPU, as the driver numbers them.

    Without `graphics` only those that compute, so that a display does not count. In a container
    these may be the host's numbers. Raises SensorReadError.
    """
    kinds = ("Compute", "Graphics") if graphics else ("Compute",)
    return frozenset(pid for kind in kinds for pid in _running(kind, _handle(uuid)))


def _running(kind: str, handle: Any) -> list[int]:
    """The process ids of one list, through the newest function that the driver has."""
    library = _library().nvmlLib
    for version in _nvml_processes.VERSIONS:
        function = getattr(library, f"nvmlDeviceGet{kind}RunningProcesses{version}", None)
        if function is None:
            continue
        try:
            code, ids = _nvml_processes.process_ids(function, handle)
        except _nvml_processes.UnknownEntrySize:
            raise NvmlReadError("the driver lists processes in an unknown form") from None
        if code:
            raise _read_error(code)
        return ids
    raise _read_error(_TOO_OLD)


def foreign_process_count(
    uuid: str, before: frozenset[int], own: frozenset[int], graphics: bool = True
) -> int:
    """The number of foreign processes on the GPU.

    `before` is the result of `processes` before this process created its own context: those still
    there are foreign. `own` holds the ids of this process and its children. If none of them is
    among the new processes, this is a container and the driver uses the host's number: then one
    new process is taken for this one. Raises SensorReadError.
    """
    now = processes(uuid, graphics)
    new = now - before
    new_foreign = len(new - own)
    if not new & own:
        new_foreign = max(0, new_foreign - 1)
    return len((now & before) - own) + new_foreign
