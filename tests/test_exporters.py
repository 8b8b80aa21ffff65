"""Exporters: what is read back is what was written, to the last digit; modelled says so."""

from __future__ import annotations

import csv
import io
import math
import subprocess
import sys

import pytest
from made import made_around, made_result

from bench import exporters, find
from bench.exporters import Options, codecarbon
from bench.footprint import regions
from bench.records import Failure

FORMS = find.names("exporter")
FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def some(kind="measured"):
    return [
        made_around(0.0123456789 / 3, 0.03, kind=kind),
        made_around(0.1 + 0.2, 0.01, model="a/b", task="text-gen", kind=kind),
    ]


def total_kwh(result):
    joules = [reading.energy_joules for t in result.measured() for reading in t.readings]
    return math.fsum(joules) / 3.6e6


def one(form):
    """As many results as a form takes."""
    return some()[:1] if form in {"model-card", "sci"} else some()


@pytest.mark.parametrize("form", FORMS)
def test_energy_comes_back_to_the_last_digit(form):
    module = find.module("exporter", form)
    assert module.SUFFIX.startswith(".") and find.headline("exporter", form)
    options = Options(region=regions.find("FR"))
    back = exporters.read(form, exporters.export(form, one(form), options))
    assert [item.energy_kwh for item in back] == [total_kwh(result) for result in one(form)]
    assert {item.kind for item in back} == {"measured"}


@pytest.mark.parametrize("form", FORMS)
def test_modelled_energy_says_so(form):
    options = Options(region=regions.find("FR"))
    made = [made_around(0.1, kind="modelled")]
    data = exporters.export(form, made, options)
    assert "modelled" in data.decode() and "not measured" in data.decode().lower()
    assert [item.kind for item in exporters.read(form, data)] == ["modelled"]
    measured = exporters.export(form, [made_around(0.1)], options)
    assert "not measured" not in measured.decode().lower()


@pytest.mark.parametrize("form", FORMS)
def test_a_result_without_energy_is_refused(form):
    with pytest.raises(ValueError, match="no energy"):
        options = Options(region=regions.find("FR"))
        exporters.export(form, [made_result(energies=[], failure=FAILED)], options)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"{}", b"[1]", b"null"])
def test_other_files_are_refused_with_a_sentence(form, data):
    with pytest.raises(ValueError) as refusal:
        exporters.read(form, data)
    assert str(refusal.value) and "\n" not in str(refusal.value)


def cells(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_codecarbon_has_the_38_columns_and_its_units():
    (row,) = cells(exporters.export("codecarbon", some()[:1], Options(regions.find("FR"), 1.2)))
    assert len(row) == 38 and list(row) == list(codecarbon.COLUMNS)
    energy = total_kwh(some()[0]) * 1.2
    assert float(row["energy_consumed"]) == energy == float(row["cpu_energy"] or row["gpu_energy"])
    assert float(row["emissions"]) == pytest.approx(energy * 44.18 / 1000)
    assert float(row["emissions_rate"]) == pytest.approx(
        float(row["emissions"]) / float(row["duration"])
    )
    watts = float(row["gpu_power"] or row["cpu_power"])
    assert watts == pytest.approx(energy * 3.6e6 / float(row["duration"]))
    assert (row["country_iso_code"], row["country_name"], row["on_cloud"]) == ("FRA", "France", "N")
    assert (row["pue"], row["tracking_mode"]) == ("1.2", "machine")


def test_codecarbon_leaves_empty_what_nobody_read():
    (row,) = cells(exporters.export("codecarbon", some()[:1], Options()))
    for column in ("emissions", "emissions_rate", "water_consumed", "ram_energy", "country_name"):
        assert row[column] == "", column
    assert row["cpu_utilization_percent"] == "" and row["longitude"] == ""


def test_codecarbon_names_a_cloud_region():
    options = Options(regions.find("aws:us-east-1"))
    (row,) = cells(exporters.export("codecarbon", some()[:1], options))
    assert (row["cloud_provider"], row["cloud_region"], row["on_cloud"]) == (
        "aws",
        "us-east-1",
        "Y",
    )
    assert (row["region"], row["country_iso_code"]) == ("virginia", "USA")
    assert float(row["water_consumed"]) == pytest.approx(0.12 * float(row["energy_consumed"]))


def test_codecarbon_2_has_the_31_columns():
    (row,) = cells(exporters.export("codecarbon-2", some()[:1], Options()))
    assert len(row) == 31 and {*row} < {*codecarbon.COLUMNS}


def test_files_of_codecarbon_itself_are_read(tmp_path):
    """A row as CodeCarbon 2.3 writes it: it does not say what it measured."""
    row = dict.fromkeys(codecarbon.OLD_COLUMNS, "")
    row |= {"timestamp": "2023-11-01T10:00:00", "project_name": "codecarbon", "duration": "12.5"}
    row |= {"energy_consumed": "0.00123", "gpu_energy": "0", "pue": "1.0"}
    row |= {"codecarbon_version": "2.3.4", "tracking_mode": "machine"}
    (found,) = exporters.read("codecarbon", codecarbon.write([row], codecarbon.OLD_COLUMNS))
    assert (found.energy_kwh, found.duration_seconds, found.kind) == (0.00123, 12.5, "unknown")
    assert "unread" in found.note


def test_rows_are_added_to_a_file_and_never_to_another_kind(tmp_path):
    path = tmp_path / "logs" / "emissions.csv"
    job = codecarbon.Job("2026-11-24T10:00:00", "=cmd()", "r", 2.0, None)
    for _ in range(2):
        codecarbon.append(path, codecarbon.row(job))
    first, second = cells(path.read_bytes())
    assert first == second and first["energy_consumed"] == "" and first["project_name"] == "'=cmd()"
    assert sorted(p.name for p in path.parent.iterdir()) == ["emissions.csv"]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="other columns"):
        codecarbon.append(path, codecarbon.row(job))
    assert path.read_text() == "a,b\n1,2\n"


def test_programs_that_end_together_all_add_their_row(tmp_path):
    code = (
        "import sys; from pathlib import Path; from bench.exporters import codecarbon as c\n"
        "for i in range(20): c.append(Path(sys.argv[1]), c.row(c.Job('t', 'p', 'r', 1.0, 0.5)))"
    )
    path = tmp_path / "emissions.csv"
    programs = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [program.wait() for program in programs] == [0, 0, 0]
    assert [row["energy_consumed"] for row in cells(path.read_bytes())] == ["0.5"] * 60
