"""`track()` around real work on this machine."""

import subprocess
import sys

import pytest

import bench
from bench import track


def test_a_block_of_code_has_readings():
    with track() as measurement:
        assert measurement.readings == ()
        total = sum(n * n for n in range(3_000_000))
    assert total
    assert measurement.readings
    assert measurement.duration_seconds > 0.01
    for reading in measurement.readings:
        assert reading.energy_joules is None or reading.energy_joules > 0
        if reading.energy_joules is None:
            assert reading.doubts
        else:
            assert reading.low_joules < reading.energy_joules < reading.high_joules
        assert reading.method in ("counter", "integrated", "modelled")
        assert ":" in reading.domain


def test_a_block_that_raises_is_measured_too():
    with pytest.raises(KeyError), track(devices=[]) as measurement:
        raise KeyError
    assert measurement.duration_seconds is not None
    assert measurement.readings


def test_a_device_that_is_not_there_is_one_sentence():
    with pytest.raises(ValueError, match="cuda:61"), track(devices=[61]):
        pass


def test_an_option_that_is_no_share_is_one_sentence():
    options = {"nvml_power_duty": "2"}
    with pytest.raises(ValueError, match="share of time"), track(devices=[], options=options):
        pass


def test_the_package_imports_at_once_and_has_no_other_names():
    code = "import sys, bench; assert 'pydantic' not in sys.modules; assert bench.__version__"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'trace'"):
        _ = bench.trace
