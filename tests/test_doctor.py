"""`joulebench doctor`: notes on settings, remedies of unusable sensors, the assessment."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from bench.cli import doctor
from bench.results.machine_record import Device, DeviceState, Machine, Sensor
from bench.system import nvidia_driver

GPU = Device(
    domain="gpu:0",
    name="NVIDIA GH200 480GB",
    power_limit_watts=500.0,
    default_power_limit_watts=700.0,
    driver_version="999.10",
    mig_enabled=False,
).with_uuid("GPU-1")


def machine(device: Device, sensor: Sensor) -> Machine:
    return Machine(
        operating_system="Linux 6.1",
        architecture="aarch64",
        cpu_name="Grace",
        cpu_logical_count=72,
        memory_bytes=2**38,
        container=False,
        python_version="3.11.0",
        devices=(device,),
        sensors=(sensor,),
    )


READ = Sensor(meter="nvml", usable=True, domains=("gpu:0",), method="counter", step_seconds=0.1)


def printed(described: Machine, *reasons: str) -> str:
    console = Console(file=StringIO(), width=160)
    device_states = [DeviceState(domain="gpu:0", throttle_reasons=reasons)]
    doctor.print_machine(described, device_states, console)
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def test_non_default_settings_are_listed_with_their_commands() -> None:
    text = printed(machine(GPU, READ), "application_clocks")
    for words in ("covers the module", "nvidia-smi -pl 700", "application clocks", "-rac"):
        assert words in text
    assert "Results can rank: the GPU is measured." in text
    assert "application clocks" not in printed(machine(GPU, READ), "sw_power_cap")


def test_split_card_does_not_rank() -> None:
    split = machine(GPU.model_copy(update={"mig_enabled": True}), READ)
    assert not doctor.assess_machine(split).ranks
    assert "nvidia-smi -mig 0" in printed(split)


def test_driver_reasons_have_remedies() -> None:
    refused = Sensor(meter="nvml", usable=False, reason=nvidia_driver._REASONS[12])
    assert "nvidia-driver" in printed(machine(GPU, refused))
    assert "cannot be read" in doctor.assess_machine(machine(GPU, refused)).text
    for code in (3, 4, 9, 12, 13, 15, 16, 18):
        assert doctor.find_remedy(nvidia_driver._REASONS[code])
    assert doctor.find_remedy("an unknown reason") is None


def test_brackets_in_a_reason_are_printed() -> None:
    sensor = Sensor(meter="zeus", usable=False, reason="run `pip install joulebench[zeus]`")
    assert "joulebench[zeus]" in printed(machine(GPU, sensor))
