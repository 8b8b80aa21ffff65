"""The check-up: what is out of the ordinary, the exact remedy, and what results are good for."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from bench.cli import doctor
from bench.results.machine_record import Device, DeviceState, Machine, Sensor
from bench.system import nvidia_driver

GPU = Device(
    domain="gpu:0",
    name="NVIDIA GH200 480GB",
    uuid="GPU-1",
    power_limit_watts=500.0,
    default_power_limit_watts=700.0,
    driver_version="999.10",
    mig_enabled=False,
)


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


def shown(found: Machine, *reasons: str) -> str:
    console = Console(file=StringIO(), width=160)
    device_states = [DeviceState(domain="gpu:0", throttle_reasons=reasons)]
    doctor.show(found, device_states, console)
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def test_what_is_out_of_the_ordinary_stands_beside_its_remedy() -> None:
    said = shown(machine(GPU, READ), "application_clocks")
    for words in ("covers the module", "nvidia-smi -pl 700", "application clocks", "-rac"):
        assert words in said
    assert "Good for ranking: the GPU is measured." in said
    assert "application clocks" not in shown(machine(GPU, READ), "sw_power_cap")


def test_a_split_card_is_not_good_for_ranking() -> None:
    split = machine(GPU.model_copy(update={"mig_enabled": True}), READ)
    assert not doctor.verdict(split).ranks
    assert "nvidia-smi -mig 0" in shown(split)


def test_every_reason_of_the_driver_that_can_be_mended_has_a_remedy() -> None:
    refused = Sensor(meter="nvml", usable=False, reason=nvidia_driver._REASONS[12])
    assert "nvidia-driver" in shown(machine(GPU, refused))
    assert "can't be read" in doctor.verdict(machine(GPU, refused)).words
    for code in (3, 4, 9, 12, 13, 15, 16, 18):
        assert doctor.remedy(nvidia_driver._REASONS[code])
    assert doctor.remedy("nobody knows") is None
