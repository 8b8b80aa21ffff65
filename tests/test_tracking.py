"""`track()` around real work on this machine."""

import csv
import subprocess
import sys

import pytest

import bench
from bench.reports import program_summary
from bench.reports.exporters import codecarbon
from bench.tracker import code_block
from bench.tracker.code_block import track


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
            assert reading.warnings
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


def test_a_block_leaves_the_record_of_a_program(tmp_path, capsys):
    with track(devices=[]) as measurement:
        with pytest.raises(ValueError, match="not ended"):
            code_block.make_program_record(measurement, "counting")
        assert sum(n * n for n in range(3_000_000))
    record = code_block.make_program_record(measurement, "counting", region="fr", pue=1.5)
    assert record.region == "FR" and record.duration_seconds == measurement.duration_seconds
    inside = [r.energy_joules for r in record.readings if r.domain in record.boundary.domains]
    assert record.energy_kwh.value == pytest.approx(sum(inside) / 3.6e6, rel=1e-12)
    assert record.energy_kwh.low < record.energy_kwh.value < record.energy_kwh.high
    program_summary.print_measurement(record)
    shown = capsys.readouterr().err
    assert "counting" in shown and "France" in shown and "PUE 1.5 counted" in shown
    codecarbon.append_program(record, tmp_path / "emissions.csv")
    (row,) = csv.DictReader((tmp_path / "emissions.csv").read_text().splitlines())
    assert float(row["energy_consumed"]) == record.energy_kwh.value * 1.5
    with pytest.raises(ValueError, match="no region"):
        code_block.make_program_record(measurement, "counting", region="Atlantis")
    with pytest.raises(ValueError, match=r"PUE of 0\.5"):
        code_block.make_program_record(measurement, "counting", pue=0.5)
