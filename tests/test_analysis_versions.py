"""A record is recomputed by the analysis version that it states, also after a newer version."""

import dataclasses
import math

import pytest
from synthetic_results import synthetic_result

from bench.results import analysis_versions, statistics, warning_rules
from bench.results.analysis_versions import analysis_parameters
from bench.results.warning_catalogue import catalogue

# Mean power of 680 W below a limit of 700 W.
NEAR_THE_LIMIT = (6790.0, 6800.0, 6810.0, 6795.0, 6805.0)


@pytest.fixture
def newer_version(monkeypatch):
    """Version 3: a lower power threshold and another quantile."""
    newer = dataclasses.replace(analysis_parameters(2), max_power_ratio=0.9, t_confidence=0.99)
    monkeypatch.setitem(analysis_versions.PARAMETERS, 3, newer)


def codes(result):
    return {warning.code for warning in warning_rules.derive_warnings(result)}


def summary(result, version):
    return statistics.summarize(
        result.trials, result.boundary, result.idle, result.task.unit, version
    )


def test_warnings_of_version_2_stay_after_a_threshold_changes(newer_version):
    result = synthetic_result(energies=NEAR_THE_LIMIT)
    assert result.analysis_version == 2
    assert warning_rules.derive_warnings(result) == result.warnings
    newer = result.model_copy(update={"analysis_version": 3})
    assert codes(newer) - codes(result) == {"power-implausible-high"}


def test_summary_of_version_2_stays_after_a_constant_changes(newer_version):
    result = synthetic_result(energies=NEAR_THE_LIMIT)
    assert summary(result, 2) == result.summary
    old, new = (summary(result, version).energy_kwh_per_1000 for version in (2, 3))
    assert new.value == old.value
    # Student's t for 4 degrees of freedom: 4.604 at 99 %, 2.776 at 95 %.
    widths = [math.log(figure.high / figure.low) for figure in (new, old)]
    assert widths[0] / widths[1] == pytest.approx(4.604 / 2.776, rel=1e-3)


@pytest.mark.parametrize("version", [0, 99])
def test_unknown_version_is_refused_in_one_sentence(version):
    result = synthetic_result().model_copy(update={"analysis_version": version})
    for recompute in (warning_rules.derive_warnings, lambda r: summary(r, version)):
        with pytest.raises(ValueError, match=f"analysis version {version} is not one"):
            recompute(result)


def test_every_row_of_the_warning_table_has_message_and_remedy():
    for code, kind in catalogue().items():
        assert code == code.lower() and " " not in code
        assert kind.message and kind.remedy
        assert isinstance(kind.blocks_ranking, bool)
