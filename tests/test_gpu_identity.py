"""A model on another GPU than the measured one ends the run with a reason."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from virtual_clock import VirtualClock
from virtual_run import CONFIG, SPEC, WORKLOAD, machine

from bench.backends import _torch_runtime
from bench.backends.simulated import SimulatedSession
from bench.meters import MeterContext
from bench.meters.replay import ReplayMeter, ReplayTrace
from bench.results.machine_record import Device
from bench.results.record import Result
from bench.runner.instruments import Instruments
from bench.runner.run_loop import RunLoop

FIRST, SECOND = "GPU-00000000-aaaa", "GPU-00000001-aaaa"


def run_on(used: tuple[str, ...], mig: bool = False) -> Result:
    """A run that measures the first of two GPUs, with a model on the GPUs of these UUIDs."""
    clock = VirtualClock()
    meter = ReplayMeter(MeterContext(clock, ()), ReplayTrace([0.0], [100.0]))
    devices = (
        Device(domain="gpu:0", name="A", mig_enabled=mig).with_uuid(FIRST),
        Device(domain="gpu:1", name="A", used=False).with_uuid(SECOND),
    )
    described = machine(meter.probe()).model_copy(update={"devices": devices})
    session = SimulatedSession(SPEC, clock)
    session.gpu_uuids = used
    instruments = Instruments(clock, (meter,))
    saved: list[Result] = []
    loop = RunLoop(CONFIG, WORKLOAD, described, instruments, lambda: session, saved.append)
    return loop.execute()


@pytest.mark.parametrize(
    ("used", "names"),
    [
        ((SECOND,), "gpu:1"),
        ((FIRST, SECOND), "gpu:1"),
        (("GPU-00000009-aaaa",), "a GPU that the driver does not list"),
    ],
)
def test_model_on_a_gpu_that_is_not_measured_fails_the_run(
    used: tuple[str, ...], names: str
) -> None:
    result = run_on(used)
    assert result.status == "failed" and result.failure is not None
    assert (result.failure.stage, result.failure.code) == ("load", "wrong-gpu")
    assert f"the model is on {names}, but the energy of gpu:0 is measured" in result.failure.message
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in result.failure.message
    assert result.trials == () and "GPU-0" not in result.failure.message


@pytest.mark.parametrize(("used", "mig"), [((FIRST,), False), ((), False), ((SECOND,), True)])
def test_model_on_the_measured_gpu_is_run(used: tuple[str, ...], mig: bool) -> None:
    """Also where the backend reports no GPU, or MIG slices have UUIDs of their own."""
    assert run_on(used, mig).status == "done"


def test_torch_reports_the_gpus_that_hold_the_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    properties = [SimpleNamespace(uuid="00000000-aaaa"), SimpleNamespace(uuid="00000001-aaaa")]
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties.__getitem__)

    def module(*devices: str) -> SimpleNamespace:
        held = [SimpleNamespace(device=torch.device(device)) for device in devices]
        return SimpleNamespace(parameters=lambda: held)

    assert _torch_runtime.gpu_uuids(module("cpu")) == ()
    assert _torch_runtime.gpu_uuids(module("cuda:1", "cuda:1")) == (SECOND,)
    assert _torch_runtime.gpu_uuids(module("cuda"), module("cuda:1")) == (FIRST, SECOND)
    properties[0] = SimpleNamespace()
    assert _torch_runtime.gpu_uuids(module("cuda:0")) == ()
