"""AMD, Apple and Jetson through zeus, whose classes are replaced by simulated devices."""

import importlib
import inspect
import math
import subprocess
import sys

import pytest
import simulated_zeus
from simulated_zeus import AMD_GPUS, AMDGPU, APPLE_WATTS, JETSON_WATTS
from virtual_clock import VirtualClock

from bench.meters import MeterContext
from bench.meters.zeus import build
from bench.results.machine_record import Device
from bench.system.clock import SystemClock


@pytest.fixture
def clock(monkeypatch):
    virtual = VirtualClock()
    for name, module in simulated_zeus.install(virtual).items():
        monkeypatch.setitem(sys.modules, name, module)
    return virtual


def measure(clock, seconds=2.0, inside=lambda: None, devices=()):
    meter = build(MeterContext(clock, devices))
    sensor = meter.probe()
    token = meter.start()
    began = clock.now()
    clock.sleep(seconds / 2)
    inside()
    clock.sleep(seconds / 2)
    ended = clock.now()
    return sensor, meter.stop(token, began, ended)


def covers(reading, true_joules):
    """Whether two standard uncertainties cover the true energy."""
    return abs(reading.energy_joules - true_joules) <= 2 * reading.standard_uncertainty_joules


def test_import_of_the_meter_loads_no_heavy_package():
    code = (
        "import sys, bench.meters.zeus; heavy = {'zeus', 'numpy', 'pandas', 'pynvml', 'amdsmi'}"
        " & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_zeus_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeus", None)
    sensor = build(MeterContext(VirtualClock(), ())).probe()
    assert not sensor.usable and "pip install joulebench[zeus]" in sensor.reason


def test_broken_zeus_is_reported_apart_from_a_missing_one(clock, monkeypatch):
    monkeypatch.delitem(sys.modules, "zeus.device")
    monkeypatch.setitem(sys.modules, "zeus.device", None)
    monkeypatch.setattr(
        importlib.import_module("bench.meters.zeus.sources"),
        "import_module",
        lambda name: (_ for _ in ()).throw(ImportError("cannot import name 'tyro'")),
    )
    sensor = build(MeterContext(clock, ())).probe()
    assert not sensor.usable
    assert "cannot be imported" in sensor.reason and "tyro" in sensor.reason


def test_machine_without_a_device_is_unusable_with_its_reason(clock):
    sensor, readings = measure(clock)
    assert not sensor.usable and "no AMD GPU" in sensor.reason
    assert readings == ()


def test_amd_gpu_is_read_by_its_counter(clock):
    AMD_GPUS.extend([AMDGPU(0), AMDGPU(1)])
    AMD_GPUS[1].joules = lambda now: 90.0 * now
    sensor, readings = measure(clock)
    assert sensor.usable and sensor.method == "counter" and sensor.reason is None
    assert sensor.step_seconds == pytest.approx(0.001, rel=0.1)
    assert (
        "accumulator" in sensor.calibration_source
        and sensor.calibration_relative_half_width == 0.05
    )
    assert [r.domain for r in readings] == ["gpu:0", "gpu:1"] == list(sensor.domains)
    for reading, true in zip(readings, (600.0, 180.0), strict=True):
        assert reading.method == "counter" and reading.meter == "zeus"
        assert reading.energy_joules == pytest.approx(true, rel=1e-3)
        assert covers(reading, true)
        assert reading.standard_uncertainty_joules < 0.002 * true


def test_amd_gpus_are_numbered_after_nvidia_gpus(clock):
    AMD_GPUS.append(AMDGPU(0))
    nvidia = [Device(domain=f"gpu:{i}", name="H100").with_uuid(f"GPU-{i}") for i in range(2)]
    sensor, _ = measure(clock, devices=(Device(domain="cpu-package:0", name="x"), *nvidia))
    assert sensor.domains == ("gpu:2",)


def test_power_is_integrated_where_the_counter_is_wrong(monkeypatch):
    clock = SystemClock()
    for name, module in simulated_zeus.install(clock).items():
        monkeypatch.setitem(sys.modules, name, module)
    gpu = AMDGPU(0)
    gpu.has_counter = False
    gpu.watts = lambda now: 200.0 + int(now / 0.05) % 2  # a value that moves every 50 ms
    AMD_GPUS.append(gpu)
    sensor, (reading,) = measure(clock, 0.6)
    assert sensor.method == reading.method == "integrated"
    assert sensor.step_seconds == pytest.approx(0.05, rel=0.2)
    assert reading.energy_joules == pytest.approx(200.5 * reading.duration_seconds, rel=0.02)
    assert [d.code for d in reading.warnings] == ["aliasing-risk"]
    gpu.has_instant = False
    _, (reading,) = measure(clock, 0.6)
    assert [d.code for d in reading.warnings] == ["power-averaged"]
    assert reading.energy_joules == pytest.approx(200.5 * reading.duration_seconds, rel=0.02)


def test_gpu_that_fails_during_a_window_gives_none(clock):
    AMD_GPUS.append(AMDGPU(0))

    def lose():
        AMD_GPUS[0].failure = "the GPU was lost"

    _, (reading,) = measure(clock, inside=lose)
    assert reading.energy_joules is None and reading.standard_uncertainty_joules is None
    assert [d.code for d in reading.warnings] == ["read-failed"]
    assert "the GPU was lost" in reading.warnings[0].message


@pytest.mark.parametrize(
    ("joules", "code"), [(lambda now: 5.0, "read-failed"), (lambda now: 0.5, "counter-reset")]
)
def test_counter_that_stands_still_or_falls_gives_none(clock, joules, code):
    AMD_GPUS.append(AMDGPU(0))
    if code == "read-failed":
        AMD_GPUS[0].joules = joules
    _, (reading,) = measure(clock, inside=lambda: setattr(AMD_GPUS[0], "joules", joules))
    assert reading.energy_joules is None
    assert [d.code for d in reading.warnings] == [code]


def test_second_chip_of_a_dual_card_is_refused_and_the_first_covers_both(clock):
    AMD_GPUS.extend([AMDGPU(0), AMDGPU(1)])
    AMD_GPUS[0].name = AMD_GPUS[1].name = "AMD Instinct MI250X"
    AMD_GPUS[1].has_counter = AMD_GPUS[1].has_instant = AMD_GPUS[1].has_average = False
    sensor, readings = measure(clock)
    assert [r.domain for r in readings] == ["gpu:0"]
    assert "gpu:1" in sensor.reason and "dual" in sensor.reason
    assert "both of its chips" in sensor.calibration_source


def test_error_of_zeus_at_opening_is_the_reason(clock):
    AMD_GPUS.append(AMDGPU(0))
    AMD_GPUS[0].failure = "init"
    sensor, _ = measure(clock)
    assert not sensor.usable and "HIP_VISIBLE_DEVICES is set but empty" in sensor.reason


def test_apple_chip_is_read_by_its_parts(clock):
    APPLE_WATTS.update(cpu_total_mj=12.0, gpu_mj=30.0, gpu_sram_mj=1.0, dram_mj=4.0)
    sensor, readings = measure(clock)
    read = {r.domain: r for r in readings}
    assert set(read) == {"soc-cpu:0", "soc-gpu:0", "dram:0"}  # no engine here, no SRAM twice
    for domain, watts in (("soc-cpu:0", 12.0), ("soc-gpu:0", 30.0), ("dram:0", 4.0)):
        assert read[domain].energy_joules == pytest.approx(2 * watts, rel=0.02)
        assert covers(read[domain], 2 * watts)
    assert sensor.step_seconds == pytest.approx(0.01, rel=0.1)
    assert (
        sensor.calibration_relative_half_width == 0.2 and "estimates" in sensor.calibration_source
    )


def test_an_apple_gpu_may_rest_and_its_cpu_may_not(clock):
    APPLE_WATTS.update(cpu_total_mj=0.0, ane_mj=0.0)
    _, readings = measure(clock)
    read = {r.domain: r.energy_joules for r in readings}
    assert read == {"soc-cpu:0": None, "soc-ane:0": 0.0}


def test_jetson_module_is_preferred_to_its_rails(clock):
    JETSON_WATTS.update(cpu_energy_mj=4.0, gpu_energy_mj=9.0, total_energy_mj=20.0)
    sensor, (reading,) = measure(clock, 10.0)
    assert sensor.method == reading.method == "integrated"
    assert sensor.step_seconds == 0.1
    assert reading.domain == "module:0"
    # The answers of zeus are up to 0.1 s old: a plain difference over 10 s would be 1 % off.
    assert reading.energy_joules == pytest.approx(200.0, rel=1e-3)
    assert covers(reading, 200.0)
    assert 0.002 < reading.standard_uncertainty_joules / 200.0 < 0.02
    del JETSON_WATTS["total_energy_mj"]
    _, readings = measure(clock, 10.0)
    assert [r.domain for r in readings] == ["soc-cpu:0", "soc-gpu:0"]
    assert math.isclose(sum(r.energy_joules for r in readings), 130.0, rel_tol=0.002)


def test_watts_are_the_mean_since_the_last_call(clock):
    AMD_GPUS.append(AMDGPU(0))
    meter = build(MeterContext(clock, ()))
    meter.probe()
    assert meter.watts() == {}
    clock.sleep(0.5)
    assert meter.watts()["gpu:0"] == pytest.approx(300.0, rel=0.01)


def test_simulated_classes_have_the_signatures_of_the_real_package():
    if importlib.util.find_spec("zeus") is None:
        pytest.skip("zeus is not installed")
    for name, members in simulated_zeus.MODULES.items():
        real = importlib.import_module(name)
        for member in members:
            real_member = getattr(real, member.__name__)
            if not inspect.isclass(member):
                assert str(inspect.signature(member)) == str(inspect.signature(real_member))
                continue
            if fields := getattr(member, "__dataclass_fields__", None):
                kinds = {n: f.type for n, f in real_member.__dataclass_fields__.items()}
                assert {n: f.type for n, f in fields.items()}.items() <= kinds.items()
                continue
            for method, function in inspect.getmembers(member, inspect.isfunction):
                parameters = inspect.signature(function).parameters
                real_parameters = inspect.signature(getattr(real_member, method)).parameters
                assert list(parameters) == list(real_parameters), (member, method)
                assert [p.default for p in parameters.values()] == [
                    p.default for p in real_parameters.values()
                ]
            assert all(hasattr(real_member, n) for n in vars(member) if not n.startswith("_"))
