"""Every entry sets the environment before torch can be imported."""

import os
import subprocess
import sys

import pytest

from bench.results.machine_record import Device, Machine
from bench.system.machine import check_gpu_numbering

ENTRIES = {
    "command": "import sys; sys.argv = ['joulebench', 'cite', '--help']\n"
    "try: bench.cli.main()\nexcept SystemExit: pass",
    "track": "with bench.track(devices=[]): pass",
    "run": "try: bench.run(bench.RunConfig(task='no-such-task'))\nexcept ValueError: pass",
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_sets_the_order_of_gpus(entry):
    environment = {k: v for k, v in os.environ.items() if k != "CUDA_DEVICE_ORDER"}
    code = f"import os, bench, bench.cli\n{ENTRIES[entry]}\nprint(os.environ['CUDA_DEVICE_ORDER'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[-1:] == ["PCI_BUS_ID"], done.stderr


def machine(*names):
    return Machine(
        operating_system="Linux",
        architecture="x86_64",
        cpu_name="CPU",
        cpu_logical_count=8,
        memory_bytes=1,
        container=False,
        python_version="3.11",
        devices=tuple(Device(domain=f"gpu:{i}", name=name) for i, name in enumerate(names)),
        sensors=(),
    )


def test_different_models_of_gpu_need_the_order_of_the_driver(monkeypatch):
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    check_gpu_numbering(machine("H100", "H100"))
    with pytest.raises(ValueError, match="CUDA_DEVICE_ORDER=PCI_BUS_ID"):
        check_gpu_numbering(machine("H100", "T4"))
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    check_gpu_numbering(machine("H100", "T4"))
