"""Schema of a machine: its devices, their sensors, the state of a device after a window."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field, PrivateAttr

from bench.results.domains import is_gpu
from bench.results.fields import Added, Count, Method, Name, Record, Text
from bench.results.throttling import ThrottleReason

VERSION_1_SALT = "joulebench-card-id-1"
SaltedHash = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


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
    card_id: SaltedHash | None = None
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

    def with_uuid(self, uuid: str, salt: str | None = VERSION_1_SALT) -> Device:
        """The device with this UUID in memory and its `card_id` in the record; none without a salt.

        `salt` is that of the machine: see `bench.system.machine_identity`.
        """
        device = self.model_copy(update={"card_id": card_id(uuid, salt) if salt else None})
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
    """The machine of a run, without host name and user name.

    Two results with one `machine_id` are of one user on one machine: it is a hash with a random
    salt that stays on the machine. It is None where no salt could be kept, and in older records.
    """

    operating_system: Name
    architecture: Name
    cpu_name: Name
    cpu_logical_count: Count
    memory_bytes: Count
    container: bool
    python_version: Name
    devices: tuple[Device, ...]
    sensors: tuple[Sensor, ...]
    machine_id: Annotated[SaltedHash | None, Added] = None

    @property
    def used_gpus(self) -> tuple[Device, ...]:
        """The GPUs that the run used."""
        return tuple(d for d in self.devices if d.used and d.is_gpu)


def card_id(uuid: str, salt: str = VERSION_1_SALT) -> str:
    """First 16 hex digits of the SHA-256 of a card's UUID after a salt.

    A run takes the random salt of its machine, so that only results of one user on one machine can
    be recognised as those of one card. Records of version 1 hold the UUID itself; they are read
    with a constant salt, so that their ids are the same everywhere.
    """
    return hashlib.sha256(f"{salt}:{uuid}".encode()).hexdigest()[:16]
