"""The machine as it is described, watched and locked; GPUs are in test_nvml.py."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import multiprocessing.synchronize
import os
import time
from pathlib import Path

import psutil
import pytest

from bench.system import device_monitor, machine, nvidia_driver


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[nvidia_driver.GpuInfo, ...]:
        raise nvidia_driver.NvidiaUnavailable("NVIDIA's driver was not found")

    monkeypatch.setattr(nvidia_driver, "list_gpus", none)


@pytest.mark.usefixtures("no_gpu")
def test_machine_without_a_gpu_uses_its_cpu() -> None:
    described = machine.describe_machine()
    assert described.devices[0].domain == "cpu-package:0"
    assert all(d.used for d in described.devices)
    assert described.memory_bytes == psutil.virtual_memory().total
    assert described.cpu_logical_count == os.cpu_count()
    assert described.cpu_name and described.operating_system and described.architecture
    assert described.sensors == ()
    assert machine.describe_machine("cpu").devices == described.devices


def test_neither_host_nor_user_is_recorded() -> None:
    text = machine.describe_machine("cpu").model_dump_json()
    node, home = os.uname().nodename, Path.home().name
    assert len(node) < 4 or node not in text
    assert len(home) < 5 or home not in text


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("cuda:0", "there is no cuda:0: NVIDIA's driver was not found"),
        ("gpu", "the device 'gpu' is none of auto, cpu, cuda:N[,cuda:M]"),
        ("cuda", "the device 'cuda' is none of auto, cpu, cuda:N[,cuda:M]"),
        ("cuda:-1", "the device 'cuda:-1' is none of auto, cpu, cuda:N[,cuda:M]"),
        ("", "the device '' is none of auto, cpu, cuda:N[,cuda:M]"),
    ],
)
def test_unknown_device_is_refused_in_one_sentence(device: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        machine.describe_machine(device)
    assert str(caught.value) == words


def _spin(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def test_cpu_load_excludes_the_process_tree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All CPUs were busy for 6 of 10 s; this process tree used 4 of these."""
    seconds = iter([(100.0, 50.0, 20.0), (110.0, 56.0, 24.0), (110.1, 56.1, 24.0)])
    monkeypatch.setattr("bench.system.device_monitor.system_cpu_seconds", lambda: next(seconds))
    monitor = device_monitor.DeviceMonitor(machine.describe_machine("cpu"))
    (state,) = monitor.sample()
    assert state.domain == "cpu-package:0"
    assert state.other_load_fraction == pytest.approx(0.2)
    assert monitor.sample()[0].other_load_fraction is None


def test_cpu_time_of_the_process_tree_is_part_of_the_sum() -> None:
    from bench.system.process import system_cpu_seconds

    before = system_cpu_seconds()
    _spin(0.6)
    everything, busy, own = (b - a for a, b in zip(before, system_cpu_seconds(), strict=True))
    assert 0.0 < own <= busy + 0.1 <= everything + 0.2


def _hold(path: Path, ready: multiprocessing.synchronize.Event, seconds: float) -> None:
    with machine.machine_lock(5.0, print, path):
        ready.set()
        time.sleep(seconds)


def _holder(path: Path, seconds: float) -> multiprocessing.process.BaseProcess:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(path, ready, seconds))
    process.start()
    assert ready.wait(60)
    return process


def test_second_run_waits_and_names_the_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = _holder(path, 1.5)
    messages: list[str] = []
    with machine.machine_lock(30.0, messages.append, path):
        assert messages == [f"waiting for process {other.pid}, which is measuring on this machine"]
    other.join()


def test_waiting_ends_with_a_timeout(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = _holder(path, 4.0)
    with (
        pytest.raises(TimeoutError, match=f"process {other.pid} still measures") as caught,
        machine.machine_lock(0.5, lambda _: None, path),
    ):
        raise AssertionError("the lock was given twice")
    assert str(caught.value).endswith("after 0.5 s")
    other.join()


def test_abandoned_lock_is_acquired(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("not a number <b>\n")
    path.chmod(0o666)
    with machine.machine_lock(1.0, pytest.fail, path):
        assert path.read_text() == f"{os.getpid()}\n"
    with machine.machine_lock(1.0, pytest.fail, path):
        pass


def test_foreign_text_in_the_lock_file_is_not_printed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = _holder(path, 1.5)
    path.write_text("\x1b[31mevil")
    messages: list[str] = []
    with machine.machine_lock(30.0, messages.append, path):
        assert messages == ["waiting for another run, which is measuring on this machine"]
    other.join()
