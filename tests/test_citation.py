"""Citation and badge of a result, and their commands."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from synthetic_results import result_with_energy, synthetic_result

from bench.reports.citation import badge, citation
from bench.results import storage
from bench.results.record import Failure

FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_citation_is_one_line_with_interval_kind_boundary_and_record():
    line = citation(result_with_energy(0.1, 0.02, model="a\nb"))
    assert "\n" not in line and "(95 % interval " in line and ", measured, boundary GPU)" in line
    assert "2026-03-01" in line and "a b" in line
    assert "modelled, not measured" in citation(result_with_energy(0.1, kind="modelled"))
    with pytest.raises(ValueError, match="no energy"):
        citation(synthetic_result(energies=[], failure=FAILED))


@pytest.mark.parametrize(("kind", "most"), [("measured", 0.96), ("modelled", 0.7)])
def test_citation_and_badge_have_the_range_with_calibration_uncertainty(kind, most):
    result = result_with_energy(0.1, 0.001, kind=kind)
    words = r"with calibration uncertainty (\S+) to (\S+) Wh"
    label = ET.fromstring(badge(result)).attrib["aria-label"]
    for text, pattern in ((citation(result), words), (label, r"100 Wh \((\S+) to (\S+)\)")):
        low, high = map(float, re.search(pattern, text).groups())
        assert low < 100 * most and high > 100 * (2 - most)


def test_badge_text_and_colour_state_the_kind_of_energy():
    kinds = {
        "measured": result_with_energy(0.1, model='<script>"&'),
        "modelled": result_with_energy(0.1, kind="modelled"),
        "not ranked": result_with_energy(0.1, weights="random"),
    }
    fills = set()
    for word, result in kinds.items():
        text = badge(result)
        tree = ET.fromstring(text)
        assert not [element for element in tree.iter() if element.tag.endswith("script")]
        assert "100 Wh" in text and (word == "measured" or word in tree.attrib["aria-label"])
        fills.add(tree.findall(".//{*}rect")[-1].attrib["fill"])
    assert len(fills) == 3


def test_badge_and_cite_commands(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(result_with_energy(0.1), path)
    done = joulebench("badge", path)
    assert done.returncode == 0 and (tmp_path / "run.svg").read_text().startswith("<svg")
    assert joulebench("cite", path).stdout.count("\n") == 1
    assert joulebench("cite", tmp_path / "none.json").returncode == 2
