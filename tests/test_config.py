"""`RunConfig`: a field is all that an option of a run needs."""

import functools
import importlib
import inspect
import shlex
from typing import Annotated

import pytest
import typer
from pydantic import Field, ValidationError
from typer.testing import CliRunner
from virtual_run import CONFIG, virtual_run

import bench
from bench.analysis.comparison import differences
from bench.cli import _options
from bench.cli import run as run_command
from bench.meters.replay import ReplayTrace
from bench.results import storage
from bench.results.settings import Option, error_sentence
from bench.runner import config as config_module
from bench.runner.config import RunConfig, apply_override
from bench.runner.repeat_command import repeat_command

STEADY = ReplayTrace([0.0], [250.0])


class ExtendedConfig(RunConfig):
    """A configuration with options that no other file of the project knows."""

    draft_model: Annotated[str | None, Field(description="Model that drafts tokens.")] = None
    page_size: Annotated[
        int, Field(ge=1, description="Tokens of a cache page."), Option(override="page")
    ] = 16


def parse(kind, words):
    """The configuration that the command line `run WORDS` makes from the fields of `kind`."""
    received = []

    def command(task: str, **options: object) -> None:
        received.append(kind(task=task, **options))

    app = typer.Typer()
    app.command()(_options.options_from(kind)(command))
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return received[0]


@pytest.fixture
def extended_command(monkeypatch):
    """The command `joulebench run`, imported while `ExtendedConfig` is the configuration."""
    monkeypatch.setattr(config_module, "RunConfig", ExtendedConfig)
    module = importlib.reload(run_command)
    app = typer.Typer()
    app.command()(module.command)
    yield functools.partial(CliRunner().invoke, app, catch_exceptions=False)
    monkeypatch.undo()
    importlib.reload(run_command)


def test_a_new_field_is_in_the_help_the_record_and_the_repeat_command(extended_command, tmp_path):
    text = extended_command(["--help"], env={"COLUMNS": "200"}).output
    assert "--draft-model" in text and "Model that drafts tokens." in text
    assert "--page-size" in text and "x>=1" in text and "default: 16" in text

    options = ["--draft-model", "a/b c", "--page-size", "32"]
    words = ["text-gen", "--backend", "simulated", "--quick", "--out", str(tmp_path), *options]
    done = extended_command([*words, "--json"])
    assert done.exit_code == 0, done.output
    result = storage.load_result(next(tmp_path.rglob("*.json")))
    assert result.model.settings["draft_model"] == "a/b c"
    assert result.model.settings["page_size"] == 32

    repeated = shlex.split(repeat_command(result, ExtendedConfig))
    again = parse(ExtendedConfig, repeated[2:])
    assert (again.draft_model, again.page_size, again.backend) == ("a/b c", 32, "simulated")
    other = virtual_run(STEADY, config=ExtendedConfig(task="virtual", page_size=8))
    assert other.model.settings["page_size"] == 8


def test_a_new_field_is_an_override_of_an_ablation_and_a_word_for_a_child_process():
    config = apply_override(ExtendedConfig(task="text-gen"), "page=64")
    assert config.page_size == 64
    assert config.command_line() == ["--page-size", "64"]


def test_the_command_run_is_made_from_the_fields():
    parameters = inspect.signature(run_command.command).parameters
    assert set(parameters) == {*RunConfig.model_fields, "edition", "as_json"}


def test_the_command_line_of_a_config_gives_the_same_config():
    config = RunConfig(
        task="text-classification",
        model="a/b",
        weights="random",
        dtype="bf16",
        batch_size=8,
        quantization="int8",
        compile=True,
        attention="eager",
        label_method="prompt",
        budget_seconds=12.5,
        quick=True,
        cpu_tdp_watts=65,
        meter_option=("nvml_mig=1", "nvml_counter_duty=0.25"),
        out="results/a folder",
    )
    assert parse(RunConfig, ["text-classification", *config.command_line()]) == config


def test_the_repeat_command_keeps_label_method_and_meter_options():
    config = CONFIG.with_changes(
        label_method="prompt", meter_option=("nvml_counter_duty=0.25",), cpu_tdp_watts=65.0
    )
    words = shlex.split(repeat_command(virtual_run(STEADY, config=config)))
    again = parse(RunConfig, words[2:])
    assert again.label_method == "prompt"
    assert again.meter_options == {"nvml_counter_duty": "0.25", "cpu_tdp_watts": "65.0"}


def test_the_repeat_command_leaves_out_impossible_settings():
    result = virtual_run(STEADY)
    hostile = {"batch_size": "; rm -rf /", "compile": [None], "label_method": "none", "page": 3}
    settings = {**result.model.settings, **hostile}
    edited = result.model_copy(
        update={"model": result.model.model_copy(update={"settings": settings})}
    )
    assert repeat_command(edited) == repeat_command(result)


def test_a_record_keeps_no_folder_of_a_meter_option():
    config = CONFIG.with_changes(
        meter="replay:/home/me/trace.csv", meter_option=("rapl_root=/home/me/x",)
    )
    settings = config.recorded_settings()
    assert settings["meter"] == "replay:trace.csv" and settings["meter_option"] == ["rapl_root=x"]


def test_a_comparison_lists_every_recorded_option_that_differs():
    base = virtual_run(STEADY)
    for name, value in {"batch_size": 8, "compile": True, "quantization": "int8"}.items():
        other = virtual_run(STEADY, config=CONFIG.with_changes(**{name: value}))
        labels = {difference.name for difference in differences(base, other)}
        assert labels == {"batch" if name == "batch_size" else name}


def test_a_comparison_reads_the_device_that_a_record_states():
    base = virtual_run(STEADY)
    settings = {**base.model.settings, "device": "cuda:0,cuda:1"}
    other = base.model_copy(update={"model": base.model.model_copy(update={"settings": settings})})
    (difference,) = differences(base, other)
    assert (difference.name, difference.base, difference.other) == (
        "device",
        "cpu",
        "cuda:0,cuda:1",
    )


def test_unknown_option_is_refused_with_the_nearest_name():
    with pytest.raises(ValidationError, match="did you mean batch_size") as caught:
        RunConfig(task="text-gen", batchsize=8)
    assert error_sentence(caught.value) == (
        "there is no option 'batchsize'; did you mean batch_size?"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "greater than or equal to 1"),
        ({"dtype": "fp8"}, "float32"),
        ({"size": "10x10"}, "multiples of 8"),
        ({"size": "big"}, "not like 512x512"),
        ({"strict": True, "max_inferences": 3}, "--strict"),
        ({"meter_option": ("nvml_mig",)}, "NAME=VALUE"),
        ({"budget_seconds": float("nan")}, "budget_seconds"),
    ],
)
def test_impossible_option_is_refused_in_one_sentence(options, message):
    with pytest.raises(ValidationError) as caught:
        RunConfig(task="image-gen", **options)
    sentence = error_sentence(caught.value)
    assert message in sentence and "\n" not in sentence


def test_run_is_public_and_saves_a_result(tmp_path):
    received = []
    config = bench.RunConfig(task="text-gen", backend="simulated", quick=True, out=tmp_path)
    result, path = bench.run(config, on_event=received.append)
    assert result.status == "done" and path.is_file() and path.parent == tmp_path / "text-gen"
    assert received[-1].name == "stopped"


def test_meter_option_of_no_meter_is_refused(tmp_path):
    config = bench.RunConfig(task="text-gen", meter_option=("speed=1",), out=tmp_path)
    with pytest.raises(ValueError, match="no meter has an option 'speed'"):
        bench.run(config)
