"""Energy domains: names, kinds, overlap; which of them a boundary holds."""

import pytest

from bench.results.domains import by_kind, gpu_domain, is_gpu, kind_label, kind_of, overlap
from bench.results.machine_record import Device, Machine, Sensor
from bench.results.views import measurement_boundary
from bench.system.nvidia_driver import GpuInfo


@pytest.mark.parametrize(
    ("name", "kind"), [("gpu:0", "gpu"), ("cpu-package:12", "cpu-package"), ("wall", "wall")]
)
def test_kind_of_a_domain_is_the_text_before_its_number(name, kind):
    assert kind_of(name) == kind


def test_wall_overlaps_every_domain_and_each_domain_itself():
    assert overlap("wall", "gpu:0") and overlap("gpu:0", "wall") and overlap("dram:0", "dram:0")
    assert not overlap("gpu:0", "gpu:1") and not overlap("gpu:0", "cpu-package:0")


def test_only_gpu_domains_are_gpus():
    assert is_gpu(gpu_domain(3))
    assert not is_gpu("soc-gpu:0")
    assert not is_gpu("cpu-package:0")


def test_domains_are_grouped_by_kind_in_order_of_appearance():
    assert by_kind(["dram:0", "gpu:1", "dram:1"]) == {
        "dram": ["dram:0", "dram:1"],
        "gpu": ["gpu:1"],
    }
    assert [kind_label(kind) for kind in ("cpu-package", "soc-cpu")] == ["CPU package", "soc-cpu"]


def test_device_of_a_meter_and_of_a_record_know_a_gpu():
    gpu = GpuInfo(index=1, uuid="GPU-1", name="GPU")
    assert gpu.domain == "gpu:1" and gpu.is_gpu
    assert Device(domain="gpu:0", name="GPU").is_gpu
    assert not Device(domain="cpu-package:0", name="CPU").is_gpu


def machine(*domains: str, gpu_used: bool = False) -> Machine:
    return Machine(
        operating_system="Linux",
        architecture="x86_64",
        cpu_name="CPU",
        cpu_logical_count=8,
        memory_bytes=1,
        container=False,
        python_version="3.11",
        devices=(Device(domain="gpu:0", name="GPU", used=gpu_used),),
        sensors=tuple(
            Sensor(meter=domain, usable=True, domains=(domain,), method="counter")
            for domain in domains
        ),
    )


def test_wall_is_not_added_to_the_parts_that_it_covers():
    assert measurement_boundary(machine("wall")).domains == ("wall",)
    assert measurement_boundary(machine("wall", "cpu-package:0")).domains == ("cpu-package:0",)
    assert measurement_boundary(machine("wall", "gpu:0", gpu_used=True)).domains == ("gpu:0",)


def test_unused_gpu_is_outside_the_boundary():
    found = measurement_boundary(machine("gpu:0", "cpu-package:0", "dram:0"))
    assert found.domains == ("cpu-package:0", "dram:0")


def test_modelled_cpu_time_overlaps_the_packages_it_is_spent_in():
    assert overlap("cpu-time", "cpu-package:1") and overlap("wall", "cpu-time")
    assert not overlap("cpu-time", "gpu:0") and not overlap("cpu-time", "dram:0")
    assert not overlap("cpu-package:0", "cpu-package:1")
