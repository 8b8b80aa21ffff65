"""The HTML report: complete record inside, no script, untrusted text escaped."""

import base64
import html
import json
import re
import subprocess
import sys

from synthetic_results import result_with_energy, result_with_host, synthetic_result

from bench.reports.html_report import html_report
from bench.results import storage
from bench.results.record import Failure

FAILED = Failure(stage="load", code="out-of-memory", message="CUDA <b>ran</b> out of memory.")


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_page_has_energy_plots_and_the_complete_record():
    result = result_with_host(0.05)
    page = html_report(result, "epa-current")
    assert page == html_report(result, "epa-current")
    assert ">63.5 Wh<" in page and "measured" in page and "NOT measured" not in page
    assert page.count('src="data:image/svg+xml;base64,') == 2
    (record,) = re.findall(r'href="data:application/json;base64,([^"]+)"', page)
    assert storage.parse_result(base64.b64decode(record).decode()) == result


def test_page_has_no_script_and_no_external_file():
    page = html_report(result_with_host(0.05), "epa-current")
    assert "<script" not in page and "script-src 'none'" in html.unescape(page)
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_untrusted_text_is_escaped():
    page = html_report(
        result_with_energy(0.1, model='<script>alert("x")</script>\u202e'), "epa-current"
    )
    assert "<script" not in page and "&lt;script&gt;" in page and "\u202e" not in page
    page = html_report(synthetic_result(energies=[], failure=FAILED), "epa-current")
    assert "&lt;b&gt;ran" in page


def test_modelled_energy_is_marked():
    assert "modelled, NOT measured" in html_report(
        result_with_energy(0.1, kind="modelled"), "epa-current"
    )


def test_report_command_writes_the_page(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(result_with_host(0.05), path)
    done = joulebench("report", path, "--json")
    assert json.loads(done.stdout) == {"page": str(tmp_path / "run.html")}
    assert (tmp_path / "run.html").read_text().startswith("<!doctype html>")
    bad = joulebench("report", path, "--edition", "none")
    assert bad.returncode == 2 and "unknown edition 'none'" in bad.stderr
    assert joulebench("report", tmp_path / "no.json").returncode == 2
