"""Export forms: each file is read by an independent library and has the exact energies.

Readers: huggingface_hub (model card), prometheus-client (OpenMetrics), jsonschema with the fields
of BoAmps' schema, the csv module with CodeCarbon's columns, json with AI Energy Score's fields.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys

import jsonschema
import pytest
from command_line import error_of, joulebench, json_lines
from huggingface_hub import ModelCard
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from shipped_plugins import shipped_names
from synthetic_results import result_with_energy, result_with_host, synthetic_result

from bench.impact import regions, water
from bench.reports import exporters
from bench.reports.exporters import ExportOptions, codecarbon
from bench.reports.exporters._common import csv_bytes
from bench.results import storage
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.interval import Interval
from bench.results.record import Failure
from bench.system import registry

FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def example_results(kind="measured"):
    return [
        result_with_energy(0.0123456789 / 3, 0.03, kind=kind),
        result_with_energy(0.1 + 0.2, 0.01, model="a/b", task="text-gen", kind=kind),
    ]


def total_kwh(result):
    joules = [reading.energy_joules for t in result.measured() for reading in t.readings]
    return math.fsum(joules) / 3.6e6


def accepted(form):
    """As many results as a form takes."""
    alone = {"ai-energy-score", "boamps", "model-card", "sci"}
    return example_results()[:1] if form in alone else example_results()


def cells(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def objects(data):
    content = json.loads(data)
    return content if isinstance(content, list) else [content]


def samples(data, family):
    families = {f.name: f for f in text_string_to_metric_families(data.decode())}
    return families[family].samples


def csv_energies(data):
    runs = {row["run_id"]: row for row in cells(data)}
    return [(float(run["run_energy_kwh"]), run["kind"]) for run in runs.values()]


# The shipped forms, and how to read one: the energy in kWh of each run, and the text that says
# whether it was measured.
READ_ENERGIES = {
    "ai-energy-score": lambda data: [
        (block["energy_kwh"], block["statement"])
        for block in (each["joulebench"] for each in objects(data))
    ],
    "boamps": lambda data: [
        (each["measures"][0]["powerConsumption"], each["measures"][0]["measurementMethod"])
        for each in objects(data)
    ],
    "codecarbon": lambda data: [
        (float(row["energy_consumed"]), row["project_name"]) for row in cells(data)
    ],
    "csv": csv_energies,
    "model-card": lambda data: [
        (result.metric_args["energy_kwh"], result.metric_name)
        for result in ModelCard(data.decode()).data.eval_results
    ],
    "openmetrics": lambda data: [
        (sample.value, sample.labels["energy"])
        for sample in samples(data, "joulebench_energy_kilowatt_hours")
    ],
    "sci": lambda data: [
        (block["energy_kwh"], block["statement"])
        for block in (each["joulebench"] for each in objects(data))
    ],
}


def test_every_shipped_form_is_listed():
    assert shipped_names("exporter") == sorted(READ_ENERGIES)


@pytest.mark.parametrize("form", registry.names("exporter"))
def test_exporter_has_a_suffix_and_a_docstring(form):
    module = registry.load("exporter", form)
    assert module.SUFFIX.startswith(".") and registry.first_docstring_line("exporter", form)


@pytest.mark.parametrize("form", READ_ENERGIES)
def test_file_has_the_exact_energy_of_each_run(form):
    options = ExportOptions(region=regions.find("FR"))
    energies = READ_ENERGIES[form](exporters.export(form, accepted(form), options))
    assert [kwh for kwh, _ in energies] == [total_kwh(result) for result in accepted(form)]
    assert not [kind for _, kind in energies if "NOT measured" in kind]


def interval(text):
    """Value, low and high end of "0.100 (0.0945 to 0.106) kWh"."""
    return [float(each) for each in re.search(r"(\S+) \((\S+) to (\S+)\) kWh", text).groups()]


def sample_value(data, family):
    (sample,) = samples(data, family)
    return sample.value


def per_1000(run_energy):
    """Energy per 1,000 inferences of `result_with_energy(0.1)`, from that of its trials."""
    trials = result_with_energy(0.1).measured()
    return 1000 * float(run_energy) / sum(trial.work.inference_count for trial in trials)


def ends_in_block(data):
    """The figure per 1,000 and its range, from the block that JSON forms of ours add."""
    block = json.loads(data)["joulebench"]
    ends = block["energy_with_calibration_kwh_per_1000"]
    return [block["energy_kwh_per_1000"]["value"], ends["low"], ends["high"]], "kWh"


def ends_of_ai_energy_score(data):
    summary = json.loads(data)
    block = summary["joulebench"]
    wh = (summary["total"], block["total_low"], block["total_high"])
    return [end / 1000 for end in wh], "k" + summary["units"]


def ends_of_codecarbon(data):
    (row,) = cells(data)
    text = row["codecarbon_version"].partition("energy_consumed ")[2]
    low, high, unit = re.fullmatch(r"(\S+) to (\S+) (\S+)", text).groups()
    return [per_1000(end) for end in (row["energy_consumed"], low, high)], unit


def ends_of_csv(data):
    row = cells(data)[0]
    name = "energy_kwh_per_1000"
    columns = (name, f"{name}_low_with_calibration", f"{name}_high_with_calibration")
    return [float(row[column]) for column in columns], "kWh"


def ends_of_openmetrics(data):
    names = [f"joulebench_energy_{end}kilowatt_hours" for end in ("", "low_", "high_")]
    return [per_1000(sample_value(data, name)) for name in names], "kWh"


# How to read the energy per 1,000 inferences with its range, and its unit.
READ_RANGES = {
    "ai-energy-score": ends_of_ai_energy_score,
    "boamps": lambda data: (
        [per_1000(end) for end in interval(json.loads(data)["measures"][0]["measurementMethod"])],
        "kWh",
    ),
    "codecarbon": ends_of_codecarbon,
    "csv": ends_of_csv,
    "model-card": lambda data: (
        interval(ModelCard(data.decode()).data.eval_results[0].metric_name),
        "kWh",
    ),
    "openmetrics": ends_of_openmetrics,
    "sci": ends_in_block,
}


@pytest.mark.parametrize("kind", ["measured", "modelled"])
@pytest.mark.parametrize("form", READ_ENERGIES)
def test_file_has_the_range_with_calibration_uncertainty(form, kind):
    if (form, kind) == ("ai-energy-score", "modelled"):
        pytest.skip("modelled energy is refused")
    result = result_with_energy(0.1, 0.01, kind=kind)
    ends, unit = READ_RANGES[form](exporters.export(form, [result], ExportOptions()))
    wide = with_calibration(
        result.summary.energy_kwh_per_1000 or result.summary.modelled_energy_kwh_per_1000,
        calibration_half_width(result),
    )
    assert ends == pytest.approx([wide.value, wide.low, wide.high], rel=6e-3)
    assert unit == "kWh"
    least = 0.04 if kind == "measured" else 0.3
    assert ends[1] < (1 - least) * ends[0] and ends[2] > (1 + least) * ends[0]


@pytest.mark.parametrize("form", sorted({*READ_ENERGIES} - {"ai-energy-score"}))
def test_modelled_energy_is_marked(form):
    options = ExportOptions(region=regions.find("FR"))
    modelled = exporters.export(form, [result_with_energy(0.1, kind="modelled")], options)
    ((_, kind),) = READ_ENERGIES[form](modelled)
    assert "modelled, NOT measured" in kind
    measured = exporters.export(form, [result_with_energy(0.1)], options)
    assert "not measured" not in measured.decode().lower()


def test_ai_energy_score_of_modelled_energy_is_refused():
    modelled = [result_with_energy(0.1, kind="modelled")]
    with pytest.raises(ValueError, match="takes measured GPU energy") as refusal:
        exporters.export("ai-energy-score", modelled, ExportOptions())
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("form", ["ai-energy-score", "boamps"])
def test_form_of_one_result_refuses_two(form):
    with pytest.raises(ValueError, match="holds one result"):
        exporters.export(form, example_results(), ExportOptions())


def test_name_opentelemetry_gives_the_openmetrics_form():
    data = [
        exporters.export(name, example_results(), ExportOptions())
        for name in ("opentelemetry", "openmetrics")
    ]
    assert data[0] == data[1] and b"hw_energy_joules" in data[0]


@pytest.mark.parametrize("form", READ_ENERGIES)
def test_result_without_energy_is_refused(form):
    with pytest.raises(ValueError, match="no energy"):
        options = ExportOptions(region=regions.find("FR"))
        exporters.export(form, [synthetic_result(energies=[], failure=FAILED)], options)


@pytest.mark.parametrize("form", sorted({*READ_ENERGIES} - {"codecarbon"}))
def test_reading_an_export_only_form_is_refused(form):
    with pytest.raises(ValueError, match="codecarbon can be read"):
        exporters.read(form, exporters.export(form, accepted(form), ExportOptions()))


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"{}", b"[1]", b"null"])
def test_file_that_is_not_codecarbon_is_refused_in_one_line(data):
    with pytest.raises(ValueError) as refusal:
        exporters.read("codecarbon", data)
    assert str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("energy", [math.nan, -1.0, math.inf, "1e999", "much"])
def test_invalid_energy_in_a_codecarbon_row_is_refused(energy):
    row = dict.fromkeys(codecarbon.COLUMNS, "") | {"energy_consumed": energy, "pue": "1"}
    with pytest.raises(ValueError, match="line 2"):
        exporters.read("codecarbon", csv_bytes([row], codecarbon.COLUMNS))


def test_codecarbon_water_is_on_site_and_of_the_energy_without_pue():
    options = ExportOptions(regions.find("aws:us-east-1"), pue=1.5)
    (row,) = cells(exporters.export("codecarbon", example_results()[:1], options))
    energy = total_kwh(example_results()[0])
    on_site = water.water_use(energy, options.region, Interval.of(1.5)).on_site
    assert float(row["water_consumed"]) == on_site.value == pytest.approx(0.12 * energy)
    assert float(row["wue"]) == 0.12 and float(row["energy_consumed"]) == 1.5 * energy


def test_truncated_codecarbon_row_is_refused():
    data = exporters.export("codecarbon", example_results()[:1], ExportOptions())
    with pytest.raises(ValueError, match="line 2"):
        exporters.read("codecarbon", data[:-80])


@pytest.mark.parametrize("kind", ["measured", "modelled"])
def test_exported_codecarbon_file_is_imported(kind):
    data = exporters.export("codecarbon", example_results(kind), ExportOptions())
    energies = exporters.read("codecarbon", data)
    assert [item.energy_kwh for item in energies] == [total_kwh(r) for r in example_results(kind)]
    assert {item.kind for item in energies} == {kind}
    for item, result in zip(energies, example_results(kind), strict=True):
        assert item.low_kwh < item.energy_kwh < item.high_kwh
        assert item.energy.high / item.energy_kwh - 1 >= 0.9 * calibration_half_width(result)


def test_codecarbon_has_the_38_columns_and_its_units():
    (row,) = cells(
        exporters.export(
            "codecarbon", example_results()[:1], ExportOptions(regions.find("FR"), 1.2)
        )
    )
    assert len(row) == 38 and list(row) == list(codecarbon.COLUMNS)
    energy = total_kwh(example_results()[0]) * 1.2
    assert float(row["energy_consumed"]) == energy == float(row["cpu_energy"] or row["gpu_energy"])
    assert float(row["emissions"]) == pytest.approx(energy * 44.18 / 1000)
    assert float(row["emissions_rate"]) == pytest.approx(
        float(row["emissions"]) / float(row["duration"])
    )
    watts = float(row["gpu_power"] or row["cpu_power"])
    assert watts == pytest.approx(energy * 3.6e6 / float(row["duration"]))
    assert (row["country_iso_code"], row["country_name"], row["on_cloud"]) == ("FRA", "France", "N")
    assert (row["pue"], row["tracking_mode"]) == ("1.2", "machine")


def test_codecarbon_cells_without_a_reading_are_empty():
    (row,) = cells(exporters.export("codecarbon", example_results()[:1], ExportOptions()))
    for column in ("emissions", "emissions_rate", "water_consumed", "ram_energy", "country_name"):
        assert row[column] == "", column
    assert row["cpu_utilization_percent"] == "" and row["longitude"] == ""


def test_codecarbon_row_has_the_cloud_region():
    options = ExportOptions(regions.find("aws:us-east-1"))
    (row,) = cells(exporters.export("codecarbon", example_results()[:1], options))
    assert (row["cloud_provider"], row["cloud_region"], row["on_cloud"]) == (
        "aws",
        "us-east-1",
        "Y",
    )
    assert (row["region"], row["country_iso_code"]) == ("virginia", "USA")
    assert float(row["water_consumed"]) == pytest.approx(0.12 * float(row["energy_consumed"]))


def test_former_name_codecarbon_2_gives_the_form_of_codecarbon_3():
    former, form = (
        exporters.export(n, example_results(), ExportOptions())
        for n in ("codecarbon-2", "codecarbon")
    )
    assert cells(former)[0].keys() == cells(form)[0].keys() == {*codecarbon.COLUMNS}


def test_file_of_codecarbon_2_is_imported_with_unknown_kind():
    row = dict.fromkeys(codecarbon.OLD_COLUMNS, "")
    row |= {"timestamp": "2023-11-01T10:00:00", "project_name": "codecarbon", "duration": "12.5"}
    row |= {"energy_consumed": "0.00123", "gpu_energy": "0", "pue": "1.0"}
    row |= {"codecarbon_version": "2.3.4", "tracking_mode": "machine"}
    (energy,) = exporters.read("codecarbon", csv_bytes([row], codecarbon.OLD_COLUMNS))
    assert (energy.energy_kwh, energy.duration_seconds, energy.kind) == (0.00123, 12.5, "unknown")
    assert "failed reading" in energy.note


def test_rows_are_appended_and_a_file_with_other_columns_is_refused(tmp_path):
    path = tmp_path / "logs" / "emissions.csv"
    added = codecarbon.row("2026-11-24T10:00:00", "=cmd()", "r", 2.0, None, {})
    for _ in range(2):
        codecarbon.append(path, added)
    first, second = cells(path.read_bytes())
    assert first == second and first["energy_consumed"] == "" and first["project_name"] == "'=cmd()"
    assert sorted(p.name for p in path.parent.iterdir()) == ["emissions.csv"]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="other columns"):
        codecarbon.append(path, added)
    assert path.read_text() == "a,b\n1,2\n"


def test_concurrent_appends_keep_all_rows(tmp_path):
    code = """
import sys
from pathlib import Path
from bench.reports.exporters.codecarbon import append, row
for _ in range(20):
    append(Path(sys.argv[1]), row("t", "p", "r", 1.0, 0.5, {}))
"""
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


def test_existing_model_card_keeps_its_content():
    options = ExportOptions(regions.find("FR"), base=CARD.encode())
    data = exporters.export("model-card", example_results()[:1], options)
    old, new = ModelCard(CARD), card(data)
    assert new.text == old.text
    before, after = old.data.to_dict(), new.data.to_dict()
    assert {key: after[key] for key in before if key != "model-index"} == {
        key: before[key] for key in before if key != "model-index"
    }
    fid, energy = new.data.eval_results
    assert (fid.metric_type, fid.metric_value, new.data.model_name) == ("fid", 12.5, "kept")
    assert energy.metric_value == example_results()[0].summary.energy_kwh_per_1000.value
    assert (energy.task_type, energy.metric_type) == ("text-to-image", "energy_kwh_per_1000")
    again = exporters.export("model-card", example_results()[:1], ExportOptions(base=data))
    assert again == data, "the same result is listed once"


def test_model_card_has_emissions_only_on_request():
    options = ExportOptions(regions.find("FR"), 1.2, co2_eq_emissions=True)
    with_region = card(exporters.export("model-card", example_results()[:1], options))
    emissions = with_region.data.to_dict()["co2_eq_emissions"]
    per_1000 = example_results()[0].summary.energy_kwh_per_1000.value
    assert emissions["emissions"] == pytest.approx(per_1000 * 1.2 * 44.18)
    assert "not training" in emissions["source"] and "life-cycle" in emissions["source"]
    assert emissions["geographical_location"] == "France"
    low, high = re.search(r"\((\S+) to (\S+)\) g with", emissions["source"]).groups()
    assert float(low) < emissions["emissions"] < float(high)
    options = ExportOptions(regions.find("FR"), 1.2)
    without = card(exporters.export("model-card", example_results()[:1], options))
    assert "co2_eq_emissions" not in without.data.to_dict()
    with pytest.raises(ValueError, match="--region"):
        options = ExportOptions(co2_eq_emissions=True)
        exporters.export("model-card", example_results()[:1], options)


@pytest.mark.parametrize("base", [b"---\na: [1\n---\n", b"\xff\xfe", b"---\nmodel-index: 3\n---\n"])
def test_unreadable_model_card_is_refused(base):
    with pytest.raises(ValueError) as refusal:
        exporters.export("model-card", example_results()[:1], ExportOptions(base=base))
    assert "\n" not in str(refusal.value)


def test_model_card_of_two_models_is_refused():
    with pytest.raises(ValueError, match="one model"):
        exporters.export("model-card", example_results(), ExportOptions())


def test_csv_has_a_row_for_each_reading():
    rows = cells(exporters.export("csv", example_results(), ExportOptions()))
    readings = [r for result in example_results() for t in result.trials for r in t.readings]
    idle = [r for result in example_results() for i in result.idle for r in i.readings]
    assert len(rows) == len(readings) + len(idle)
    energies = [float(row["energy_joules"]) for row in rows if row["trial_index"]]
    assert energies == [reading.energy_joules for reading in readings]
    hostile = [result_with_energy(0.1, model="=cmd|'/c calc'!A1")]
    assert cells(exporters.export("csv", hostile, ExportOptions()))[0]["model"].startswith("'=")


# The fields of GPU_ENERGY_SUMMARY.json and their types, as summarize_gpu_wh.py of
# https://github.com/huggingface/AIEnergyScore writes them.
AI_ENERGY_SCORE_TYPES = {
    "units": str,
    "total": float,
    "format": str,
    "preprocess_wh": float,
    "prefill_wh": float,
    "decode_wh": float,
}


def test_ai_energy_score_total_is_gpu_energy_per_1000_queries():
    result = result_with_host(0.05, inferences=10)
    summary = json.loads(exporters.export("ai-energy-score", [result], ExportOptions()))
    types = {name: type(value) for name, value in summary.items() if name != "joulebench"}
    assert types == AI_ENERGY_SCORE_TYPES
    assert summary["units"] == "Wh" and summary["format"] in {"optimum", "ai_energy_benchmarks"}
    trials = [trial for trial in result.trials if trial.phase == "measured"]
    gpu = [r.energy_joules for t in trials for r in t.readings if r.domain == "gpu:0"]
    queries = sum(trial.work.inference_count for trial in trials)
    assert summary["total"] == pytest.approx(math.fsum(gpu) / 3600 * 1000 / queries)
    assert summary["total"] == pytest.approx(50.0)
    phases = [summary[f"{phase}_wh"] for phase in ("preprocess", "prefill", "decode")]
    assert sum(phases) == summary["total"]


# The fields of a report by BoAmps 1.1 that we write, with their types and values. Source:
# https://github.com/Boavizta/BoAmps, model/*_schema.json, retrieved 2026-11 (CC BY 4.0).
TEXT, NUMBER, COUNT = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def boamps_object(required, **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def boamps_list(items):
    return {"type": "array", "minItems": 1, "items": items}


DATA_TYPES = ["tabular", "audio", "boolean", "image", "video", "object"]
DATA_TYPES += ["text", "token", "word", "other"]
BOAMPS = boamps_object(
    "task measures infrastructure",
    header=boamps_object(
        "reportDatetime",
        licensing=TEXT,
        formatVersion=TEXT,
        formatVersionSpecificationUri=TEXT,
        reportId=TEXT,
        reportDatetime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"},
        reportStatus={"enum": ["draft", "final", "corrective", "other"]},
    ),
    task=boamps_object(
        "taskStage taskFamily algorithms dataset",
        taskStage=TEXT,
        taskFamily=TEXT,
        nbRequest=NUMBER,
        algorithms=boamps_list(
            boamps_object(
                "",
                foundationModelName=TEXT,
                parametersNumber=NUMBER,
                framework=TEXT,
                quantization=TEXT,
            )
        ),
        dataset=boamps_list(
            boamps_object(
                "dataUsage dataType",
                dataUsage={"enum": ["input", "output"]},
                dataType={"enum": DATA_TYPES},
                dataQuantity=NUMBER,
            )
        ),
        measuredAccuracy={"type": "number", "minimum": 0, "maximum": 1},
        taskDescription=TEXT,
    ),
    measures=boamps_list(
        boamps_object(
            "measurementMethod powerConsumption",
            measurementMethod=TEXT,
            version=TEXT,
            cpuTrackingMode=TEXT,
            gpuTrackingMode=TEXT,
            powerConsumption=NUMBER,
            measurementDuration=NUMBER,
            measurementDateTime=TEXT,
        )
    ),
    system=boamps_object("os", os=TEXT),
    software=boamps_object("language", language=TEXT, version=TEXT),
    infrastructure=boamps_object(
        "infraType components",
        infraType={"enum": ["publicCloud", "privateCloud", "onPremise", "other"]},
        cloudProvider=TEXT,
        components=boamps_list(
            boamps_object(
                "componentType nbComponent",
                componentName=TEXT,
                componentType=TEXT,
                nbComponent=COUNT,
                memorySize=COUNT,
            )
        ),
    ),
    environment=boamps_object(
        "country", country=TEXT, location=TEXT, powerSourceCarbonIntensity=NUMBER
    ),
    quality={"enum": ["high", "medium", "low"]},
)


def boamps_report(result, options=None):
    report = json.loads(exporters.export("boamps", [result], options or ExportOptions()))
    jsonschema.Draft4Validator(BOAMPS).validate(report)
    return report


def test_boamps_report_is_valid_and_has_the_run():
    options = ExportOptions(regions.find("aws:eu-west-3"), licence="CC-BY-4.0")
    result = result_with_host()
    report = boamps_report(result, options)
    (measure,) = report["measures"]
    assert measure["powerConsumption"] == total_kwh(result)
    assert report["header"]["licensing"] == "CC-BY-4.0"
    assert report["infrastructure"]["infraType"] == "publicCloud"
    assert report["environment"]["country"] == "France"
    assert report["quality"] == "high"
    ram = next(c for c in report["infrastructure"]["components"] if c["componentType"] == "ram")
    assert ram["memorySize"] == 8


def test_boamps_report_has_no_licence_and_no_quality_class_that_nobody_stated():
    report = boamps_report(result_with_energy(0.1, kind="modelled"))
    assert "licensing" not in report["header"]
    assert "quality" not in report, "BoAmps' classes end at 50 %"


BOAMPS_DATA_TYPES = {
    "text-gen": ("text", "token"),
    "image-gen": ("text", "image"),
    "text-classification": ("text", "text"),
    "asr": ("audio", "text"),
    "image-captioning": ("image", "text"),
    "object-detection": ("image", "object"),
    "video-gen": ("text", "video"),
    "fill-mask": ("text", "word"),
    "sentence-similarity": ("text", "other"),
}


@pytest.mark.parametrize("task", BOAMPS_DATA_TYPES)
def test_boamps_data_types_are_those_of_the_task(task):
    result = result_with_energy(0.1)
    info = result.task.model_copy(update={"id": task})
    report = boamps_report(result.model_copy(update={"task": info}))
    types = [each["dataType"] for each in report["task"]["dataset"]]
    assert tuple(types) == BOAMPS_DATA_TYPES[task]


def test_boamps_counts_output_tokens():
    result = result_with_energy(0.1, task="text-gen")
    report = boamps_report(result)
    tokens = sum(trial.work.output_token_count for trial in result.measured())
    assert [d["dataQuantity"] for d in report["task"]["dataset"]] == [
        report["task"]["nbRequest"],
        tokens,
    ]


def test_sci_has_operational_and_embodied_emissions_per_unit():
    (result,) = example_results()[:1]
    score = json.loads(exporters.export("sci", [result], ExportOptions(regions.find("FR"))))
    per_image = result.summary.energy_kwh_per_1000.value / 1000 * 44.18
    assert score["sci"]["operational_gco2e"]["value"] == pytest.approx(per_image)
    assert score["sci"]["complete"] and score["sci"]["embodied_gco2e"]["value"] > 0
    assert score["intensity"]["approach"] == "location-based, average"
    without_region = json.loads(exporters.export("sci", [result], ExportOptions()))
    interval = without_region["sci"]["operational_gco2e"]
    assert without_region["intensity"] is None and interval["high"] > 20 * interval["low"]


def test_sci_uses_embodied_kg_for_an_unknown_machine():
    modelled = [result_with_energy(0.1, kind="modelled")]
    incomplete = json.loads(exporters.export("sci", modelled, ExportOptions()))["sci"]
    assert (
        not incomplete["complete"]
        and incomplete["embodied_gco2e"] is None
        and incomplete["missing"]
    )
    complete = json.loads(exporters.export("sci", modelled, ExportOptions(embodied_kg=1000.0)))[
        "sci"
    ]
    assert complete["complete"] and complete["embodied_gco2e"]["value"] > 0


def test_openmetrics_file_is_parsed_by_prometheus_client():
    data = exporters.export("openmetrics", example_results(), ExportOptions()).decode()
    families = {f.name: f for f in text_string_to_metric_families(data)}
    energy = families["hw_energy_joules"]
    assert (energy.type, energy.unit) == ("counter", "joules")
    assert [s.value for s in energy.samples] == [
        math.fsum(r.energy_joules for t in result.measured() for r in t.readings)
        for result in example_results()
    ]
    labels = energy.samples[0].labels
    assert labels["hw_id"] == "gpu:0" and labels["hw_type"] == "gpu"
    power = families["hw_power_watts"].samples[0].value
    assert power == pytest.approx(400, rel=0.01)
    for figure, value in (("energy", energy.samples[0].value), ("power", power)):
        unit = {"energy": "joules", "power": "watts"}[figure]
        low, high = (
            families[f"joulebench_component_{figure}_{end}_{unit}"] for end in ("low", "high")
        )
        assert low.unit == high.unit == unit
        assert low.samples[0].value < 0.96 * value and high.samples[0].value > 1.04 * value
    escaped = [result_with_energy(0.1, model='a"b\\c')]
    text = exporters.export("openmetrics", escaped, ExportOptions()).decode()
    (sample,) = next(iter(text_string_to_metric_families(text))).samples
    assert sample.labels["model"] == 'a"b\\c'


@pytest.fixture
def files(tmp_path):
    """The paths of a measured and of a modelled result."""
    for kind in ("measured", "modelled"):
        storage.save_result(result_with_energy(0.1, kind=kind), tmp_path / f"{kind}.json")
    return tmp_path


def test_export_refuses_in_one_sentence(files):
    modelled = str(files / "modelled.json")
    assert "is modelled" in error_of("export", "ai-energy-score", modelled)
    assert "--region" in error_of("export", "model-card", modelled, "--co2-eq-emissions")


def test_export_options_are_those_of_the_command(files):
    measured = str(files / "measured.json")
    report = json.loads(joulebench("export", "boamps", measured, "--licence", "CC0-1.0").stdout)
    assert report["header"]["licensing"] == "CC0-1.0"
    options = ("--region", "FR", "--co2-eq-emissions")
    text = joulebench("export", "model-card", measured, *options).stdout
    assert ModelCard(text).data.to_dict()["co2_eq_emissions"]["geographical_location"] == "France"
    assert "hw_energy_joules_total" in joulebench("export", "opentelemetry", measured).stdout


def test_import_has_the_range_of_each_figure(files):
    out = str(files / "emissions.csv")
    joulebench("export", "codecarbon", str(files / "modelled.json"), "--out", out)
    (row,) = json_lines("import", "codecarbon", out, "--region", "FR", "--json")
    for name in ("phone_charges", "co2e_grams"):
        relative = [row[f"{name}_{end}"] / row[name] for end in ("low", "high")]
        assert relative[0] < 0.7 and relative[1] > 1.4
    text = joulebench("import", "codecarbon", out, "--region", "FR").stdout
    assert text.count(" to ") == 3 and "modelled" in text
