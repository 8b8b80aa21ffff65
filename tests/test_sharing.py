"""What a person hands on: a page to mail, a command to repeat a run, a folder for a hub."""

import html
import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from datasets import load_dataset
from synthetic_results import result_with_energy, result_with_host, synthetic_result

from bench.leaderboard import publishing
from bench.reports import citation, html_report
from bench.results import storage
from bench.results.record import Failure
from bench.runner import repeat_command

FAILED = Failure(stage="load", code="out-of-memory", message="CUDA <b>ran</b> out of memory.")


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_page_holds_the_figures_and_the_whole_record():
    import base64

    result = result_with_host(0.05)
    page = html_report.html_report(result, "epa-current")
    assert page == html_report.html_report(result, "epa-current")
    assert ">63.50 Wh<" in page and "measured" in page and "NOT measured" not in page
    assert page.count('src="data:image/svg+xml;base64,') == 2
    (record,) = re.findall(r'href="data:application/json;base64,([^"]+)"', page)
    assert storage.parse_result(base64.b64decode(record).decode()) == result


def test_a_page_loads_nothing_and_runs_nothing():
    page = html_report.html_report(result_with_host(0.05), "epa-current")
    assert "<script" not in page and "script-src 'none'" in html.unescape(page)
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_a_stranger_s_words_are_shown_as_they_are():
    page = html_report.html_report(
        result_with_energy(0.1, model='<script>alert("x")</script>\u202e'), "epa-current"
    )
    assert "<script" not in page and "&lt;script&gt;" in page and "\u202e" not in page
    page = html_report.html_report(synthetic_result(energies=[], failure=FAILED), "epa-current")
    assert "&lt;b&gt;ran" in page


def test_modelled_energy_says_so_on_the_page():
    assert "modelled, NOT measured" in html_report.html_report(
        result_with_energy(0.1, kind="modelled"), "epa-current"
    )


def test_the_command_asks_for_the_same_run():
    words = shlex.split(
        repeat_command.repeat_command(
            result_with_energy(0.1, model="a/b c", batch=8, profile="strict")
        )
    )
    asked = dict(zip(words[3:-1:2], words[4::2], strict=True))
    assert words[:3] == ["joulebench", "run", "image-gen"] and words[-1] == "--strict"
    assert asked == {
        "--model": "a/b c",
        "--dataset": "embedded",
        "--device": "cuda:0",
        "--dtype": "float32",
        "--batch-size": "8",
        "--budget": "150",
    }
    random = repeat_command.repeat_command(
        result_with_energy(0.1, model="sd-2.1", weights="random", kind="modelled")
    )
    assert "--weights random" in random and "--device cpu" in random


def test_the_command_is_one_that_joulebench_takes():
    words = shlex.split(
        repeat_command.repeat_command(result_with_energy(0.1, model="no/such;model $(x)"))
    )
    done = joulebench(*words[1:], "--device", "cpu", "--task-that-is-not")
    assert done.returncode == 2 and "No such option: --task-that-is-not" in done.stderr


def test_report_as_a_command(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(result_with_host(0.05), path)
    done = joulebench("report", path, "--json")
    assert json.loads(done.stdout) == {"page": str(tmp_path / "run.html")}
    assert (tmp_path / "run.html").read_text().startswith("<!doctype html>")
    bad = joulebench("report", path, "--edition", "none")
    assert bad.returncode == 2 and "unknown edition 'none'" in bad.stderr
    assert joulebench("report", tmp_path / "no.json").returncode == 2


def test_the_published_folder_is_a_data_set_with_every_record(tmp_path):
    results = [result_with_host(0.05), result_with_energy(0.1, kind="modelled", model="b")]
    publishing.write_dataset_folder(results, tmp_path / "hub")
    cache = str(tmp_path / "cache")
    rows = load_dataset(str(tmp_path / "hub"), "leaderboard", split="train", cache_dir=cache)
    gross = {row["model"]: row["energy_kwh_per_1000"] for row in rows}
    assert gross == {r.model.id: r.summary.energy_kwh_per_1000.value for r in results}
    ranks = {row["model"]: (row["rank"], row["kind"]) for row in rows}
    assert ranks == {"embedded/small": (1, "measured"), "b": (None, "modelled")}
    records = load_dataset(str(tmp_path / "hub"), "results", split="train", cache_dir=cache)
    assert [storage.parse_result(row["record"]) for row in records] == results


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_publish_writes_a_folder_and_uploads_nothing(tmp_path, options):
    arguments = ["publish", *options, "--results", tmp_path, "--out", tmp_path / "hub"]
    empty = joulebench(*arguments)
    assert empty.returncode == 2 and "no submission" in empty.stderr
    path = tmp_path / "run.json"
    storage.save_result(result_with_energy(0.1), path)
    assert joulebench("submit", path, "--results", tmp_path).returncode == 0
    done = joulebench(*arguments)
    assert done.returncode == 0 and "nothing was uploaded" in done.stderr
    assert (tmp_path / "hub" / "data" / "leaderboard.parquet").is_file()


def test_a_citation_is_one_line_with_interval_kind_boundary_and_record():
    line = citation.citation(result_with_energy(0.1, 0.02, model="a\nb"))
    assert "\n" not in line and "(95 % interval " in line and ", measured, boundary GPU)" in line
    assert "2026-03-01" in line and "a b" in line
    assert "modelled, not measured" in citation.citation(result_with_energy(0.1, kind="modelled"))
    with pytest.raises(ValueError, match="no energy"):
        citation.citation(synthetic_result(energies=[], failure=FAILED))


def test_a_badge_says_how_its_figure_came_about():
    kinds = {
        "measured": result_with_energy(0.1, model='<script>"&'),
        "modelled": result_with_energy(0.1, kind="modelled"),
        "not ranked": result_with_energy(0.1, weights="random"),
    }
    fills = set()
    for word, result in kinds.items():
        text = citation.badge(result)
        tree = ET.fromstring(text)
        assert not [element for element in tree.iter() if element.tag.endswith("script")]
        assert "100 Wh" in text and (word == "measured" or word in tree.attrib["aria-label"])
        fills.add(tree.findall(".//{*}rect")[-1].attrib["fill"])
    assert len(fills) == 3


def test_badge_and_cite_as_commands(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(result_with_energy(0.1), path)
    done = joulebench("badge", path)
    assert done.returncode == 0 and (tmp_path / "run.svg").read_text().startswith("<svg")
    assert joulebench("cite", path).stdout.count("\n") == 1
    assert joulebench("cite", tmp_path / "none.json").returncode == 2
