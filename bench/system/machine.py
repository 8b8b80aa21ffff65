"""Description of the machine and its devices; a lock that keeps a second run waiting."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.results.domains import DomainKind
from bench.system import machine_identity, nvidia_driver
from bench.system.process import own_processes
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.results.machine_record import Device, Machine


class GpuSnapshot(NamedTuple):
    """Every NVIDIA GPU at one moment; `reason` says why there is none."""

    gpus: tuple[nvidia_driver.GpuInfo, ...]
    reason: str


def describe_machine(device: str = "auto", snapshot: GpuSnapshot | None = None) -> Machine:
    """This machine, with the devices that `device` names marked as used; sensors are left empty.

    `device` is "auto" (the first GPU of CUDA_VISIBLE_DEVICES, else the CPU), "all", "cpu" or
    "cuda:N[,…]", where N counts within CUDA_VISIBLE_DEVICES. `snapshot` holds the GPUs where they
    were listed before. Raises ValueError with one sentence for any other device.
    """
    import psutil

    from bench.results.machine_record import Machine

    snapshot = snapshot or snapshot_gpus()
    used = {gpu.uuid for gpu in selected_gpus(device, snapshot)}
    return Machine(
        operating_system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        cpu_name=_cpu_name(),
        cpu_logical_count=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        container=_in_container(),
        python_version=platform.python_version(),
        devices=(*_packages(), *(_device(gpu, gpu.uuid in used) for gpu in snapshot.gpus)),
        sensors=(),
        machine_id=machine_identity.machine_id(),
    )


def snapshot_gpus() -> GpuSnapshot:
    """The GPUs of this machine, within a few milliseconds."""
    try:
        return GpuSnapshot(nvidia_driver.list_gpus(), "this machine shows no NVIDIA GPU")
    except nvidia_driver.NvidiaUnavailable as unavailable:
        return GpuSnapshot((), unavailable.reason)


def _shown_gpus(
    gpus: tuple[nvidia_driver.GpuInfo, ...], setting: str | None
) -> list[nvidia_driver.GpuInfo]:
    """The GPUs that CUDA shows a process, in its order; like CUDA, up to the first invalid name."""
    if setting is None:
        return list(gpus)
    shown = []
    for name in setting.split(","):
        gpu = _gpu_by_name(gpus, name.strip())
        if gpu is None:
            break
        shown.append(gpu)
    return shown


def _gpu_by_name(
    gpus: tuple[nvidia_driver.GpuInfo, ...], name: str
) -> nvidia_driver.GpuInfo | None:
    """The GPU of an index, of a UUID or its beginning, or the one that holds a MIG slice."""
    if name.isdecimal():
        return next((gpu for gpu in gpus if gpu.index == int(name)), None)
    if name.startswith("MIG-GPU-"):  # the older spelling: MIG-<card>/<instance>/<slice>
        card = name.removeprefix("MIG-").partition("/")[0]
        return next((gpu for gpu in gpus if gpu.uuid == card), None)
    if name.startswith("MIG-"):
        return next((g for g in gpus if any(u.startswith(name) for u in g.mig_uuids)), None)
    matching = [gpu for gpu in gpus if name.startswith("GPU-") and gpu.uuid.startswith(name)]
    return matching[0] if len(matching) == 1 else None


def selected_gpus(device: str, snapshot: GpuSnapshot) -> list[nvidia_driver.GpuInfo]:
    """The GPUs of `device`, as in `describe_machine`. Raises ValueError if one is missing."""
    gpus = _shown_gpus(snapshot.gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if device in ("auto", "all"):
        return gpus[:1] if device == "auto" else gpus
    if device == "cpu":
        return []
    numbers = []
    for part in device.split(","):
        match = re.fullmatch(r"cuda:(\d{1,4})", part.strip())
        if match is None:
            raise ValueError(f"the device {device!r} is none of auto, cpu, cuda:N[,cuda:M]")
        numbers.append(int(match[1]))
    for number in numbers:
        if number >= len(gpus):
            count = f"{len(gpus)} GPU{'s' if len(gpus) != 1 else ''}"
            why = f"this machine shows {count}" if gpus else snapshot.reason
            raise ValueError(f"there is no cuda:{number}: {why}")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"the device {device!r} names a GPU twice")
    return [gpus[number] for number in numbers]


def check_gpu_numbering(machine: Machine) -> None:
    """Raise ValueError where CUDA and the driver may number the GPUs differently.

    CUDA numbers the fastest GPU first unless CUDA_DEVICE_ORDER says otherwise, the driver numbers
    by PCI bus: with different models of GPU the two numberings differ.
    """
    names = {device.name for device in machine.devices if device.is_gpu}
    if len(names) > 1 and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        raise ValueError(
            "this machine has different models of GPU: set CUDA_DEVICE_ORDER=PCI_BUS_ID before "
            "torch starts, so that torch and the driver number them alike"
        )


def _device(gpu: nvidia_driver.GpuInfo, used: bool) -> Device:
    from bench.results.machine_record import Device

    try:
        foreign = len(nvidia_driver.processes(gpu.uuid) - own_processes())
    except SensorReadError:
        foreign = None
    values = {name: value for name, value in asdict(gpu).items() if name in Device.model_fields}
    values |= {"domain": gpu.domain, "used": used, "foreign_process_count": foreign}
    return Device(**values).with_uuid(gpu.uuid, machine_identity.machine_salt())


def _packages() -> list[Device]:
    """One device for each processor package; at least one."""
    from bench.results.machine_record import Device

    packages = set()
    for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/physical_package_id"):
        try:
            packages.add(path.read_text(encoding="ascii").strip())
        except OSError:
            continue  # a CPU that is switched off has no package
    domains = [f"{DomainKind.cpu_package}:{i}" for i in range(max(len(packages), 1))]
    return [Device(domain=domain, name=_cpu_name()) for domain in domains]


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return (match[1].strip() if match else platform.processor() or platform.machine())[:300]


def _in_container() -> bool:
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return True
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return True
    try:
        groups = Path("/proc/1/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(re.search(r"docker|kubepods|containerd|libpod|lxc", groups))


@contextmanager
def machine_lock(
    wait_seconds: float, on_wait: Callable[[str], None], path: Path | None = None
) -> Iterator[None]:
    """Hold the lock of this machine for one run.

    A second run waits: `on_wait` gets a sentence that names the run that holds the lock. `path` is
    the lock file, by default in a folder that all users share. Raises TimeoutError with one
    sentence after `wait_seconds`, or where the lock file cannot be opened.
    """
    import tempfile

    import filelock

    shared_folder = "/tmp" if os.name == "posix" else tempfile.gettempdir()
    path = path or Path(shared_folder) / "joulebench.lock"
    held = filelock.FileLock(path, mode=0o666)
    try:
        try:
            held.acquire(timeout=0)
        except filelock.Timeout:
            on_wait(f"waiting for {_holder(path)}, which is measuring on this machine")
            held.acquire(timeout=wait_seconds, poll_interval=0.5)
    except filelock.Timeout:
        message = f"{_holder(path)} still measures on this machine after {wait_seconds:g} s"
        raise TimeoutError(message) from None
    except PermissionError:
        raise TimeoutError(f"the lock {path} cannot be opened: remove it, then try again") from None
    try:
        # The process id is for runs that wait; the file may belong to another user.
        with suppress(OSError), path.open("r+", encoding="ascii", errors="replace") as file:
            file.write(f"{os.getpid()}\n")
            file.truncate()
        yield
    finally:
        held.release()


def _holder(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii", errors="replace")[:20].strip()
    except OSError:
        text = ""
    return f"process {text}" if text.isdecimal() else "another run"
