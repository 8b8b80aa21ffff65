"""`track()` around real work on this machine."""

import csv
import subprocess
import sys

import pytest
from rich.console import Console

import bench
from bench.reports.exporters.codecarbon import append_program
from bench.reports.program_summary import print_program
from bench.tracker.code_block import make_program_record, track


def test_block_has_readings_after_it_ended():
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
        assert ":" in reading.domain or reading.domain == "cpu-time"


def test_block_that_raises_is_measured():
    with pytest.raises(KeyError), track(devices=[]) as measurement:
        raise KeyError
    assert measurement.duration_seconds is not None
    assert measurement.readings


def test_missing_device_is_refused():
    with pytest.raises(ValueError, match="cuda:61"), track(devices=[61]):
        pass


def test_meter_option_out_of_range_is_refused():
    options = {"nvml_power_duty": "2"}
    with pytest.raises(ValueError, match="share of time"), track(devices=[], options=options):
        pass


def test_import_of_package_does_not_import_pydantic():
    code = "import sys, bench; assert 'pydantic' not in sys.modules; assert bench.__version__"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_of_track_does_not_import_reports():
    code = (
        "import sys\nfrom bench import track\n"
        "loaded = {'.'.join(name.split('.')[:2]) for name in sys.modules}\n"
        "print(*sorted(loaded & {'bench.impact', 'bench.reports', 'rich', 'jinja2', 'typer'}))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "\n"


def test_unknown_attribute_of_package_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'trace'"):
        _ = bench.trace


def test_block_becomes_a_program_record(tmp_path, capsys):
    with track(devices=[]) as measurement:
        with pytest.raises(ValueError, match="not ended"):
            make_program_record(measurement, "counting")
        assert sum(n * n for n in range(3_000_000))
    record = make_program_record(measurement, "counting", region="fr", pue=1.5)
    assert record.region == "FR" and record.duration_seconds == measurement.duration_seconds
    inside = [r.energy_joules for r in record.readings if r.domain in record.boundary.domains]
    assert record.energy_kwh.value == pytest.approx(sum(inside) / 3.6e6, rel=1e-12)
    assert record.energy_kwh.low < record.energy_kwh.value < record.energy_kwh.high
    print_program(record, Console(width=160), "epa-current", "not saved")
    text = capsys.readouterr().out
    assert "counting" in text and "France" in text and "PUE 1.5 included" in text
    append_program(record, tmp_path / "emissions.csv")
    (row,) = csv.DictReader((tmp_path / "emissions.csv").read_text().splitlines())
    assert float(row["energy_consumed"]) == record.energy_kwh.value * 1.5
    with pytest.raises(ValueError, match="no region"):
        make_program_record(measurement, "counting", region="Atlantis")
    with pytest.raises(ValueError, match=r"PUE of 0\.5"):
        make_program_record(measurement, "counting", pue=0.5)
