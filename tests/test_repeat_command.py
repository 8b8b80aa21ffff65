"""The command that repeats the run of a record."""

import shlex
import subprocess
import sys

from synthetic_results import result_with_energy

from bench.runner.repeat_command import repeat_command


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_has_the_options_of_the_run():
    words = shlex.split(
        repeat_command(result_with_energy(0.1, model="a/b c", batch=8, profile="strict"))
    )
    options = dict(zip(words[3:-1:2], words[4::2], strict=True))
    assert words[:3] == ["joulebench", "run", "image-gen"] and words[-1] == "--strict"
    assert options == {
        "--model": "a/b c",
        "--dataset": "embedded",
        "--device": "cuda:0",
        "--dtype": "float32",
        "--batch-size": "8",
        "--budget": "150",
    }
    command = repeat_command(
        result_with_energy(0.1, model="sd-2.1", weights="random", kind="modelled")
    )
    assert "--weights random" in command and "--device cpu" in command


def test_command_is_accepted_by_joulebench():
    words = shlex.split(repeat_command(result_with_energy(0.1, model="no/such;model $(x)")))
    done = joulebench(*words[1:], "--device", "cpu", "--task-that-is-not")
    assert done.returncode == 2 and "No such option: --task-that-is-not" in done.stderr
