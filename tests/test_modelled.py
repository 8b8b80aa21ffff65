"""Modelled energy is named for what it is: CPU time, without idle power and memory."""

from __future__ import annotations

import pytest
from synthetic_results import result_with_energy
from virtual_clock import VirtualClock

from bench.meters import MeterContext, make_reading
from bench.meters.modelled import build
from bench.reports import exporters
from bench.reports.citation import citation
from bench.reports.exporters import ExportOptions
from bench.results.warning_catalogue import make_warning
from bench.runner.instruments import Instruments
from bench.runner.window import close_window, open_window

NOT_COUNTED = "idle power and memory not counted"


class PackageMeter:
    """A sensor of the first CPU package."""

    name = "package"

    def probe(self):
        raise NotImplementedError

    def start(self):
        return None

    def stop(self, token, began, ended):
        return (make_reading("cpu-package:0", self.name, "counter", ended - began, 5.0, 0.1),)

    def watts(self):
        return {}


def domains(*meters) -> set[str]:
    instruments = Instruments(VirtualClock(), meters)
    return {r.domain for r in close_window(instruments, open_window(instruments)).readings}


def test_modelled_energy_has_a_domain_of_its_own():
    meter = build(MeterContext(VirtualClock(), ()))
    assert meter.probe().domains == ("cpu-time",)
    assert domains(meter) == {"cpu-time"}


def test_modelled_cpu_time_is_dropped_where_a_package_is_measured():
    assert domains(build(MeterContext(VirtualClock(), ())), PackageMeter()) == {"cpu-package:0"}


def test_range_of_the_model_states_its_source():
    source = build(MeterContext(VirtualClock(), ())).probe().calibration_source
    for text in ("assumed range", "SPECpower", "Green Algorithms", "not compared with a sensor"):
        assert text in source
    with_tdp = build(MeterContext(VirtualClock(), (), {"cpu_tdp_watts": "65"})).probe()
    assert "of the TDP" in with_tdp.calibration_source


@pytest.mark.parametrize("form", ["csv", "openmetrics", "codecarbon", "boamps", "model-card"])
def test_every_export_form_states_what_the_model_leaves_out(form):
    data = exporters.export(form, [result_with_energy(0.1, kind="modelled")], ExportOptions())
    assert NOT_COUNTED in data.decode()
    measured = exporters.export(form, [result_with_energy(0.1)], ExportOptions())
    assert NOT_COUNTED not in measured.decode()


def test_summary_citation_and_warning_state_what_the_model_leaves_out():
    result = result_with_energy(0.1, kind="modelled")
    assert NOT_COUNTED in citation(result)
    assert NOT_COUNTED not in citation(result_with_energy(0.1))
    warning = make_warning("energy-modelled", percent=75)
    assert "idle power and memory are not counted" in warning.message
