"""How to repeat a run: the command that asks for the same work on the same kind of model."""

from __future__ import annotations

import shlex

from bench.results.record import Result


def repeat_command(result: Result) -> str:
    """The `joulebench run` of a result, quoted for a shell; the machine is the reader's own.

    A local folder or file is named by its last part alone, which is all that a record keeps.
    """
    model, task = result.model, result.task
    words = ["joulebench", "run", task.id, "--model", model.id, "--dataset", task.dataset]
    if model.revision and "/" in model.id:
        words += ["--revision", model.revision]
    if model.weights == "random" and model.settings.get("source") != "embedded":
        words += ["--weights", "random"]
    words += ["--device", _device(result)]
    if model.dtype:
        words += ["--dtype", model.dtype]
    batch = model.settings.get("batch_size")
    if isinstance(batch, int) and batch > 1:
        words += ["--batch-size", str(batch)]
    quantization, attention = (model.settings.get(o) for o in ("quantization", "attention"))
    if isinstance(quantization, str):
        words += ["--quantization", quantization]
    if attention in ("eager", "flash_attention_2"):
        words += ["--attention", str(attention)]
    if model.settings.get("compile") is True:
        words.append("--compile")
    words += _drawing(result)
    for option in ("allow_pickle", "trust_remote_code"):
        if model.settings.get(option) is True:
            words.append(f"--{option.replace('_', '-')}")
    words += ["--budget", f"{result.protocol.budget_seconds:g}"]
    if result.profile != "standard":
        words.append(f"--{result.profile}")
    return shlex.join(words)


def _drawing(result: Result) -> list[str]:
    """Steps and size of what was drawn, where they are parameters of the task."""
    parameters = result.task.parameters
    words = []
    if "steps" in parameters:
        words += ["--steps", str(parameters["steps"])]
    if "width" in parameters and "height" in parameters:
        words += ["--size", f"{parameters['width']}x{parameters['height']}"]
    return words


def _device(result: Result) -> str:
    """As many GPUs as the run used, counted from 0, or the CPU."""
    count = len(result.machine.used_gpus)
    return ",".join(f"cuda:{number}" for number in range(count)) or "cpu"
