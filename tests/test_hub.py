"""Models and data sets from the hub: runs of the command against a local hub server."""

import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest
from hub_server import Repository, serving

from bench.system import registry
from bench.workloads import embedded

pytestmark = pytest.mark.slow

DATA = registry.find_task("text-classification").datasets["standard"].repository
CLASSIFIER = embedded.model_path("text-classification", "tiny")
PIPELINE = embedded.model_path("image-gen", "tiny")
NO_HUB = "http://127.0.0.1:9"  # a port that nobody listens on


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    rows = tmp_path_factory.mktemp("rows")
    shutil.copy(embedded.data_path("text-classification"), rows / "train.jsonl")
    (rows / "README.md").write_text("---\nlicense: mit\n---\n")
    with serving() as server:
        server.repositories |= {
            DATA: Repository(rows, "datasets"),
            "org/spam": Repository(CLASSIFIER, branches=("main", "v2")),
            "org/larger": Repository(embedded.model_path("text-gen", "small")),
            "org/pipeline": Repository(PIPELINE),
            "org/gated": Repository(CLASSIFIER, gated=True),
            "org/gated-pipeline": Repository(PIPELINE, gated=True),
            "org/disconnects": Repository(CLASSIFIER, fault="disconnect"),
            "org/truncates": Repository(CLASSIFIER, fault="truncate"),
        }
        yield server


def joulebench(endpoint, home, *words, **options):
    """`endpoint` "" is the hub client's own offline mode."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint or NO_HUB, "HF_HOME": str(home)}
    environment["HF_HUB_OFFLINE"] = "0" if endpoint else "1"
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
        check=False,
        **options,
    )


def quick(endpoint, home, *words, **options):
    common = ["--quick", "--json", "--out", home / "results"]
    return joulebench(endpoint, home, "run", *words, *common, **options)


def error_line(done):
    """The one error line of a refused run."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.startswith("joulebench: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def first(hub, tmp_path_factory):
    """A run with a model and the standard data set from the hub, and the cache that it filled."""
    home = tmp_path_factory.mktemp("home")
    done = quick(hub.endpoint, home, "text-classification", "--model", "org/spam")
    assert done.returncode == 0, done.stderr
    return home, done


def test_commits_are_recorded_and_shown(hub, first):
    _, done = first
    result = json.loads(done.stdout)
    model, rows = hub.repositories["org/spam"].commit, hub.repositories[DATA].commit
    assert (result["model"]["id"], result["model"]["revision"]) == ("org/spam", model)
    assert (result["task"]["dataset"], result["task"]["dataset_revision"]) == ("standard", rows)
    assert result["model"]["settings"]["source"] == "hub"
    assert result["quality"]["value"] > 0.7
    words = " ".join(done.stderr.split())
    assert f"model org/spam at {model[:12]}" in words and f"standard at {rows[:12]}" in words


def test_downloaded_model_and_data_run_without_the_hub_at_the_same_commits(first):
    home, online = first
    done = quick(NO_HUB, home, "text-classification", "--model", "org/spam")
    assert done.returncode == 0, done.stderr
    before, after = json.loads(online.stdout), json.loads(done.stdout)
    assert after["model"]["revision"] == before["model"]["revision"]
    assert after["task"]["dataset_revision"] == before["task"]["dataset_revision"]
    assert after["task"]["fingerprint"] == before["task"]["fingerprint"]


def test_local_copy_of_another_commit_is_refused(hub, first, tmp_path):
    """Without the hub, datasets uses its latest copy; here main has moved since then."""
    home = tmp_path / "home"
    shutil.copytree(first[0], home, symlinks=True)
    reference = next(home.glob("hub/datasets--*/refs/main"))
    reference.write_text("0" * 40)
    done = quick("", home, "text-classification", "--model", "org/spam")
    line = error_line(done)
    assert "is not of 00000000" in line or "there is no local copy" in line


def test_random_weights_download_no_weights(hub, tmp_path):
    del hub.request_log[:]
    words = ["--model", "org/spam", "--revision", "v2", "--weights", "random"]
    done = quick(hub.endpoint, tmp_path, "text-classification", *words, "--dataset", "embedded")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["model"]["weights"] == "random"
    assert result["model"]["revision"] == hub.repositories["org/spam"].commit
    assert any("config.json" in line for line in hub.request_log)
    assert not any("safetensors" in line for line in hub.request_log)


def test_pipeline_is_loaded_from_the_hub(hub, tmp_path):
    words = ["--model", "org/pipeline", "--dataset", "embedded", "--max-inferences", "1"]
    done = quick(hub.endpoint, tmp_path, "image-gen", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"]["revision"] == hub.repositories["org/pipeline"].commit


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text-classification", "--model", "org/gated"], "org/gated is gated: accept its terms"),
        (["image-gen", "--model", "org/gated-pipeline"], "is gated: accept its terms"),
        (["text-classification", "--model", "org/none"], "the hub has no model 'org/none'"),
        (["text-classification", "--model", "org/spam", "--revision", "v9"], "no revision 'v9'"),
        (["text-classification", "--model", "org/spam", "--revision", "0" * 40], "no revision"),
        (["text-classification", "--model", "org/pipeline"], "not a model for text-classification"),
        (["text-gen", "--model", "org/spam"], "it is a BertForSequenceClassification"),
        (["image-gen", "--model", "org/spam"], "org/spam is not a model for image-gen"),
        (
            ["text-classification", "--model", "org/disconnects"],
            "the download of org/disconnects was interrupted",
        ),
        (
            ["text-classification", "--model", "org/truncates"],
            "the download of org/truncates was interrupted",
        ),
        (
            ["image-gen", "--model", "embedded/tiny", "--dataset", "standard"],
            "has no dataset 'Ener",
        ),
        (
            ["text-classification", "--model", "embedded/tiny", "--model", "org/none"],
            "the hub has no model 'org/none'",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusal_of_the_hub_is_one_sentence_and_exit_code_2(hub, words, message, tmp_path):
    assert message in error_line(quick(hub.endpoint, tmp_path, *words))
    assert not list(tmp_path.glob("results/**/*.json"))


def test_gated_data_set_is_refused(hub, tmp_path):
    hub.repositories[DATA].gated = True
    try:
        words = ["text-classification", "--model", "embedded/tiny", "--dataset", "standard"]
        assert f"{DATA} is gated" in error_line(quick(hub.endpoint, tmp_path, *words))
    finally:
        hub.repositories[DATA].gated = False


@pytest.mark.parametrize(
    "words", [["--model", "org/spam"], ["--model", "embedded/tiny", "--dataset", "standard"]]
)
def test_missing_network_is_reported(words, tmp_path):
    done = quick(NO_HUB, tmp_path, "text-classification", *words)
    assert "the hub cannot be reached" in error_line(done)


def test_interrupted_download_continues_at_the_next_run(hub, tmp_path):
    repository = hub.repositories["org/disconnects"]
    words = ["text-classification", "--model", "org/disconnects", "--dataset", "embedded"]
    try:
        assert "was interrupted" in error_line(quick(hub.endpoint, tmp_path, *words))
        repository.fault = ""
        del hub.request_log[:]
        assert quick(hub.endpoint, tmp_path, *words).returncode == 0
        assert not any(line.startswith("GET") and "config.json" in line for line in hub.request_log)
    finally:
        repository.fault = "disconnect"


@contextmanager
def small_disk(folder):
    """A file system of 300 kB in memory; skips where this user may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("task", "model", "larger_than_disk"),
    [
        ("text-gen", "org/larger", "org/larger"),
        ("text-classification", "org/spam", DATA),
    ],
    ids=["model", "data set"],
)
def test_full_disk_is_reported(hub, tmp_path, task, model, larger_than_disk):
    with small_disk(tmp_path / "disk") as disk:
        words = ["--model", model, "--quick", "--out", tmp_path / "results"]
        done = joulebench(hub.endpoint, disk, "run", task, *words)
        message = f"the disk is full: {larger_than_disk} does not fit into {disk}"
        assert message in error_line(done)


def test_limit_on_file_size_is_reported_as_a_full_disk(hub, tmp_path):
    """The limit is above the 1 MB that a run writes first, to see whether it can save a result."""
    limit_bytes = 1_500_000
    weights = hub.repositories["org/larger"].folder / "model.safetensors"
    assert weights.stat().st_size > limit_bytes

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    words = ["text-gen", "--model", "org/larger"]
    done = quick(hub.endpoint, tmp_path, *words, preexec_fn=limit)
    assert "the disk is full: org/larger" in error_line(done)
