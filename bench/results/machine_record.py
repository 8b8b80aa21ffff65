"""Schema of a machine: its devices, their sensors, the state of a device after a window."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field, PrivateAttr

from bench.results.domains import is_gpu
from bench.results.fields import Count, Method, Name, Record, Text
from bench.results.throttling import ThrottleReason

_CARD_ID_SALT = "joulebench-card-id-1"


class DeviceState(Record):
    """The state of one device right after a window.

    `other_load_fraction` is the fraction of all CPUs that other programs used since the
    last sample.
    """

    domain: Name
    temperature_celsius: float | None = None
    clock_mhz: float | None = None
    throttle_reasons: tuple[ThrottleReason, ...] = ()
    foreign_process_count: Count | None = None
    other_load_fraction: Annotated[float, Field(ge=0)] | None = None


class Device(Record):
    """One device of the machine; `used` tells whether the run used it.

    `card_id` identifies the card without its UUID: see `card_id`.
    """

    domain: Name
    name: Name
    card_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    used: bool = True
    memory_bytes: Count | None = None
    power_limit_watts: float | None = None
    default_power_limit_watts: float | None = None
    driver_version: Name | None = None
    clock_mhz: float | None = None
    max_clock_mhz: float | None = None
    mig_enabled: bool | None = None
    foreign_process_count: Count | None = None
    _uuid: str | None = PrivateAttr(default=None)

    @property
    def uuid(self) -> str | None:
        """The driver's UUID, in the process that described the machine; never in a record."""
        return self._uuid

    def with_uuid(self, uuid: str) -> Device:
        """The device with this UUID in memory and its `card_id` in the record."""
        device = self.model_copy(update={"card_id": card_id(uuid)})
        device._uuid = uuid
        return device

    @property
    def is_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return is_gpu(self.domain)


class Sensor(Record):
    """What a meter can read on this machine, probed before the run, or the reason why not."""

    meter: Name
    usable: bool
    reason: Text | None = None
    domains: tuple[Name, ...] = ()
    method: Method | None = None
    step_seconds: float | None = None
    jitter_seconds: float | None = None
    quantum_joules: float | None = None
    read_cost_seconds: float | None = None
    counter_to_power_ratio: float | None = None
    calibration_relative_half_width: Annotated[float, Field(ge=0)] | None = None
    calibration_source: Text | None = None


class Machine(Record):
    """The machine of a run, without host name and user name."""

    operating_system: Name
    architecture: Name
    cpu_name: Name
    cpu_logical_count: Count
    memory_bytes: Count
    container: bool
    python_version: Name
    devices: tuple[Device, ...]
    sensors: tuple[Sensor, ...]

    @property
    def used_gpus(self) -> tuple[Device, ...]:
        """The GPUs that the run used."""
        return tuple(d for d in self.devices if d.used and d.is_gpu)


def card_id(uuid: str) -> str:
    """First 16 hex digits of the SHA-256 of a card's UUID after a constant public salt.

    The salt, "joulebench-card-id-1", is the same everywhere: results of one card stay comparable
    across submitters, and the UUID itself is not published.
    """
    return hashlib.sha256(f"{_CARD_ID_SALT}:{uuid}".encode()).hexdigest()[:16]
