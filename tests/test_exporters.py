"""Exporters: what is read back is what was written, to the last digit; modelled says so."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys

import pytest
from huggingface_hub import ModelCard
from made import made_around, made_result
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bench.impact import regions
from bench.reports import exporters
from bench.reports.exporters import ExportOptions, codecarbon
from bench.results.record import Failure
from bench.system import registry

FORMS = registry.names("exporter")
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
    module = registry.load("exporter", form)
    assert module.SUFFIX.startswith(".") and registry.first_docstring_line("exporter", form)
    options = ExportOptions(region=regions.find("FR"))
    back = exporters.read(form, exporters.export(form, one(form), options))
    assert [item.energy_kwh for item in back] == [total_kwh(result) for result in one(form)]
    assert {item.kind for item in back} == {"measured"}


@pytest.mark.parametrize("form", FORMS)
def test_modelled_energy_says_so(form):
    options = ExportOptions(region=regions.find("FR"))
    made = [made_around(0.1, kind="modelled")]
    data = exporters.export(form, made, options)
    assert "modelled" in data.decode() and "not measured" in data.decode().lower()
    assert [item.kind for item in exporters.read(form, data)] == ["modelled"]
    measured = exporters.export(form, [made_around(0.1)], options)
    assert "not measured" not in measured.decode().lower()


@pytest.mark.parametrize("form", FORMS)
def test_a_result_without_energy_is_refused(form):
    with pytest.raises(ValueError, match="no energy"):
        options = ExportOptions(region=regions.find("FR"))
        exporters.export(form, [made_result(energies=[], failure=FAILED)], options)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"{}", b"[1]", b"null"])
def test_other_files_are_refused_with_a_sentence(form, data):
    with pytest.raises(ValueError) as refusal:
        exporters.read(form, data)
    assert str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("energy", ["nan", "-1", "inf", "1e999", "much"])
def test_an_energy_that_is_none_is_refused(energy):
    row = dict.fromkeys(codecarbon.COLUMNS, "") | {"energy_consumed": energy, "pue": "1"}
    with pytest.raises(ValueError, match="line 2"):
        exporters.read("codecarbon", codecarbon.write([row]))
    for form in ("ai-energy-score", "boamps", "sci", "model-card", "openmetrics", "csv"):
        data = exporters.export(form, some()[:1], ExportOptions()).decode()
        changed = data.replace(repr(total_kwh(some()[0])), energy)
        assert changed != data
        with pytest.raises(ValueError):
            exporters.read(form, changed.encode())


def test_a_row_that_is_cut_off_is_refused():
    whole = exporters.export("codecarbon", some()[:1], ExportOptions())
    with pytest.raises(ValueError, match="line 2"):
        exporters.read("codecarbon", whole[:-80])
    with pytest.raises(ValueError, match="cells"):
        exporters.read("csv", exporters.export("csv", some()[:1], ExportOptions())[:-60])


def cells(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_codecarbon_has_the_38_columns_and_its_units():
    (row,) = cells(
        exporters.export("codecarbon", some()[:1], ExportOptions(regions.find("FR"), 1.2))
    )
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
    (row,) = cells(exporters.export("codecarbon", some()[:1], ExportOptions()))
    for column in ("emissions", "emissions_rate", "water_consumed", "ram_energy", "country_name"):
        assert row[column] == "", column
    assert row["cpu_utilization_percent"] == "" and row["longitude"] == ""


def test_codecarbon_names_a_cloud_region():
    options = ExportOptions(regions.find("aws:us-east-1"))
    (row,) = cells(exporters.export("codecarbon", some()[:1], options))
    assert (row["cloud_provider"], row["cloud_region"], row["on_cloud"]) == (
        "aws",
        "us-east-1",
        "Y",
    )
    assert (row["region"], row["country_iso_code"]) == ("virginia", "USA")
    assert float(row["water_consumed"]) == pytest.approx(0.12 * float(row["energy_consumed"]))


def test_codecarbon_2_answers_with_the_form_of_codecarbon_3():
    former, form = (
        exporters.export(n, some(), ExportOptions()) for n in ("codecarbon-2", "codecarbon")
    )
    assert cells(former)[0].keys() == cells(form)[0].keys() == {*codecarbon.COLUMNS}


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
    job = codecarbon.CodeCarbonJob("2026-11-24T10:00:00", "=cmd()", "r", 2.0, None)
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
        "import sys; from pathlib import Path; from bench.reports.exporters import codecarbon as c\n"
        "for i in range(20): c.append(Path(sys.argv[1]), c.row(c.CodeCarbonJob('t', 'p', 'r', 1.0, 0.5)))"
    )
    path = tmp_path / "emissions.csv"
    programs = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [program.wait() for program in programs] == [0, 0, 0]
    assert [row["energy_consumed"] for row in cells(path.read_bytes())] == ["0.5"] * 60


CARD = """---
license: apache-2.0
language: [en, fr]
tags: [vision]
co2_eq_emissions:
  emissions: 8125
  source: the paper
  training_type: pre-training
model-index:
- name: kept
  results:
  - task: {type: text-to-image}
    dataset: {name: COCO, type: coco}
    metrics:
    - {type: fid, value: 12.5, name: FID}
---

# A model

It paints.  Its *card* is | long.
"""


def card(data):
    return ModelCard(data.decode())


def test_a_card_keeps_what_it_had_and_loads():
    options = ExportOptions(regions.find("FR"), base=CARD.encode())
    data = exporters.export("model-card", some()[:1], options)
    old, new = ModelCard(CARD), card(data)
    assert new.text == old.text
    before, after = old.data.to_dict(), new.data.to_dict()
    assert {key: after[key] for key in before if key != "model-index"} == {
        key: before[key] for key in before if key != "model-index"
    }
    fid, energy = new.data.eval_results
    assert (fid.metric_type, fid.metric_value, new.data.model_name) == ("fid", 12.5, "kept")
    assert energy.metric_value == some()[0].summary.energy_kwh_per_1000.value
    assert (energy.task_type, energy.metric_type) == ("text-to-image", "energy_kwh_per_1000")
    again = exporters.export("model-card", some()[:1], ExportOptions(base=data))
    assert again == data, "the same result does not stand there twice"


def test_a_new_card_has_the_emissions_of_a_named_region_only():
    with_region = card(
        exporters.export("model-card", some()[:1], ExportOptions(regions.find("FR"), 1.2))
    )
    emissions = with_region.data.to_dict()["co2_eq_emissions"]
    per_1000 = some()[0].summary.energy_kwh_per_1000.value
    assert emissions["emissions"] == pytest.approx(per_1000 * 1.2 * 44.18)
    assert "not training" in emissions["source"] and "life-cycle" in emissions["source"]
    assert emissions["geographical_location"] == "France"
    without = card(exporters.export("model-card", some()[:1], ExportOptions()))
    assert "co2_eq_emissions" not in without.data.to_dict()


@pytest.mark.parametrize("base", [b"---\na: [1\n---\n", b"\xff\xfe", b"---\nmodel-index: 3\n---\n"])
def test_a_card_that_can_t_be_read_is_refused(base):
    with pytest.raises(ValueError) as refusal:
        exporters.export("model-card", some()[:1], ExportOptions(base=base))
    assert "\n" not in str(refusal.value)


def test_a_card_is_of_one_model():
    with pytest.raises(ValueError, match="one model"):
        exporters.export("model-card", some(), ExportOptions())


def test_csv_has_every_reading_of_every_trial():
    rows = cells(exporters.export("csv", some(), ExportOptions()))
    readings = [r for result in some() for t in result.trials for r in t.readings]
    idle = [r for result in some() for i in result.idle for r in i.readings]
    assert len(rows) == len(readings) + len(idle)
    energies = [float(row["energy_joules"]) for row in rows if row["trial_index"]]
    assert energies == [reading.energy_joules for reading in readings]
    hostile = [made_around(0.1, model="=cmd|'/c calc'!A1")]
    assert cells(exporters.export("csv", hostile, ExportOptions()))[0]["model"].startswith("'=")


def test_ai_energy_score_counts_gpus_alone():
    (gpu,) = json.loads(
        b"[" + exporters.export("ai-energy-score", some()[:1], ExportOptions()) + b"]"
    )
    assert gpu["units"] == "Wh" and gpu["prefill_wh"] is None
    assert gpu["total"] == pytest.approx(1000 * total_kwh(some()[0]))
    cpu = [made_around(0.1, kind="modelled")]
    assert json.loads(exporters.export("ai-energy-score", cpu, ExportOptions()))["total"] is None


def test_boamps_has_what_its_schema_requires():
    options = ExportOptions(regions.find("aws:eu-west-3"))
    report = json.loads(exporters.export("boamps", some()[:1], options))
    assert {"task", "measures", "infrastructure"} <= {*report}
    assert {"taskStage", "taskFamily", "algorithms", "dataset"} <= {*report["task"]}
    (measure,) = report["measures"]
    assert {"measurementMethod", "powerConsumption"} <= {*measure}
    assert measure["powerConsumption"] == total_kwh(some()[0])
    assert report["infrastructure"]["infraType"] == "publicCloud"
    assert report["environment"]["country"] == "France"
    assert report["quality"] in {"high", "medium", "low"}
    assert len(json.loads(exporters.export("boamps", some(), options))) == 2


def test_sci_is_operational_and_embodied_per_unit():
    (result,) = some()[:1]
    found = json.loads(exporters.export("sci", [result], ExportOptions(regions.find("FR"))))
    per_image = result.summary.energy_kwh_per_1000.value / 1000 * 44.18
    assert found["sci"]["operational_gco2e"]["value"] == pytest.approx(per_image)
    assert found["sci"]["complete"] and found["sci"]["embodied_gco2e"]["value"] > 0
    assert found["intensity"]["approach"] == "location-based, average"
    anywhere = json.loads(exporters.export("sci", [result], ExportOptions()))
    span = anywhere["sci"]["operational_gco2e"]
    assert anywhere["intensity"] is None and span["high"] > 20 * span["low"]


def test_sci_takes_the_making_of_a_machine_that_no_table_has():
    made = [made_around(0.1, kind="modelled")]
    bare = json.loads(exporters.export("sci", made, ExportOptions()))["sci"]
    assert not bare["complete"] and bare["embodied_gco2e"] is None and bare["missing"]
    whole = json.loads(exporters.export("sci", made, ExportOptions(embodied_kg=1000.0)))["sci"]
    assert whole["complete"] and whole["embodied_gco2e"]["value"] > 0


def test_openmetrics_is_read_by_prometheus_own_library():
    data = exporters.export("openmetrics", some(), ExportOptions()).decode()
    families = {f.name: f for f in text_string_to_metric_families(data)}
    energy = families["hw_energy_joules"]
    assert (energy.type, energy.unit) == ("counter", "joules")
    assert [s.value for s in energy.samples] == [
        math.fsum(r.energy_joules for t in result.measured() for r in t.readings)
        for result in some()
    ]
    labels = energy.samples[0].labels
    assert labels["hw_id"] == "gpu:0" and labels["hw_type"] == "gpu"
    power = families["hw_power_watts"].samples[0].value
    assert power == pytest.approx(400, rel=0.01)
    strange = [made_around(0.1, model='a"b\\c')]
    text = exporters.export("openmetrics", strange, ExportOptions()).decode()
    (found,) = next(iter(text_string_to_metric_families(text))).samples
    assert found.labels["model"] == 'a"b\\c'
    assert exporters.read("openmetrics", text.encode())[0].label.endswith('a"b\\c')
