"""Models and data sets from a hub, as processes against a hub on loopback: the real clients."""

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

DATA = registry.find_task("text-classification").datasets["standard"].repository
CLASSIFIER = embedded.model_path("text-classification", "tiny")
PAINTER = embedded.model_path("image-gen", "tiny")
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
            "org/larger": Repository(embedded.model_path("text-classification", "small")),
            "org/painter": Repository(PAINTER),
            "org/gated": Repository(CLASSIFIER, gated=True),
            "org/gated-painter": Repository(PAINTER, gated=True),
            "org/closes": Repository(CLASSIFIER, fault="closes"),
            "org/short": Repository(CLASSIFIER, fault="short"),
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


def sentence(done):
    """The one sentence that a refused run ends in."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    said = [line for line in done.stderr.splitlines() if line.startswith("joulebench: ")]
    assert len(said) == 1, done.stderr
    return said[0]


@pytest.fixture(scope="module")
def first(hub, tmp_path_factory):
    """A model and the standard data set, both from the hub; and the cache that they are in now."""
    home = tmp_path_factory.mktemp("home")
    done = quick(hub.endpoint, home, "text-classification", "--model", "org/spam")
    assert done.returncode == 0, done.stderr
    return home, done


def test_the_commits_that_answered_are_recorded_and_shown(hub, first):
    _, done = first
    result = json.loads(done.stdout)
    model, rows = hub.repositories["org/spam"].commit, hub.repositories[DATA].commit
    assert (result["model"]["id"], result["model"]["revision"]) == ("org/spam", model)
    assert (result["task"]["dataset"], result["task"]["dataset_revision"]) == ("standard", rows)
    assert result["model"]["settings"]["source"] == "hub"
    assert result["quality"]["value"] > 0.7
    words = " ".join(done.stderr.split())
    assert f"model org/spam at {model[:12]}" in words and f"standard at {rows[:12]}" in words


def test_what_was_fetched_once_runs_without_the_hub_and_keeps_its_commits(first):
    home, online = first
    done = quick(NO_HUB, home, "text-classification", "--model", "org/spam")
    assert done.returncode == 0, done.stderr
    before, after = json.loads(online.stdout), json.loads(done.stdout)
    assert after["model"]["revision"] == before["model"]["revision"]
    assert after["task"]["dataset_revision"] == before["task"]["dataset_revision"]
    assert after["task"]["fingerprint"] == before["task"]["fingerprint"]


def test_a_copy_of_another_commit_is_not_taken_for_the_one_that_was_asked_for(hub, first, tmp_path):
    """Without the hub, datasets takes its latest copy; here main has moved since it was made."""
    home = tmp_path / "home"
    shutil.copytree(first[0], home, symlinks=True)
    reference = next(home.glob("hub/datasets--*/refs/main"))
    reference.write_text("0" * 40)
    done = quick("", home, "text-classification", "--model", "org/spam")
    said = sentence(done)
    assert "is not of 00000000" in said or "there is no local copy" in said


def test_random_weights_fetch_no_weights(hub, tmp_path):
    del hub.asked[:]
    words = ["--model", "org/spam", "--revision", "v2", "--weights", "random"]
    done = quick(hub.endpoint, tmp_path, "text-classification", *words, "--dataset", "embedded")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["model"]["weights"] == "random"
    assert result["model"]["revision"] == hub.repositories["org/spam"].commit
    assert any("config.json" in line for line in hub.asked)
    assert not any("safetensors" in line for line in hub.asked)


def test_a_pipeline_comes_from_the_hub(hub, tmp_path):
    words = ["--model", "org/painter", "--dataset", "embedded", "--max-inferences", "1"]
    done = quick(hub.endpoint, tmp_path, "image-gen", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"]["revision"] == hub.repositories["org/painter"].commit


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["text-classification", "--model", "org/gated"], "org/gated is gated: accept its terms"),
        (["image-gen", "--model", "org/gated-painter"], "is gated: accept its terms"),
        (["text-classification", "--model", "org/none"], "the hub has no model 'org/none'"),
        (["text-classification", "--model", "org/spam", "--revision", "v9"], "no revision 'v9'"),
        (["text-classification", "--model", "org/spam", "--revision", "0" * 40], "no revision"),
        (["text-classification", "--model", "org/painter"], "not a model for text-classification"),
        (["text-gen", "--model", "org/spam"], "it is a BertForSequenceClassification"),
        (["image-gen", "--model", "org/spam"], "org/spam is not a model for image-gen"),
        (
            ["text-classification", "--model", "org/closes"],
            "the download of org/closes was interrupted",
        ),
        (
            ["text-classification", "--model", "org/short"],
            "the download of org/short was interrupted",
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
def test_what_the_hub_refuses_is_one_sentence_and_exit_2(hub, words, said, tmp_path):
    assert said in sentence(quick(hub.endpoint, tmp_path, *words))
    assert not list(tmp_path.glob("results/**/*.json"))


def test_a_gated_data_set_is_said(hub, tmp_path):
    hub.repositories[DATA].gated = True
    try:
        words = ["text-classification", "--model", "embedded/tiny", "--dataset", "standard"]
        assert f"{DATA} is gated" in sentence(quick(hub.endpoint, tmp_path, *words))
    finally:
        hub.repositories[DATA].gated = False


@pytest.mark.parametrize(
    "words", [["--model", "org/spam"], ["--model", "embedded/tiny", "--dataset", "standard"]]
)
def test_no_network_is_said(words, tmp_path):
    done = quick(NO_HUB, tmp_path, "text-classification", *words)
    assert "the hub can't be reached" in sentence(done)


def test_a_download_that_broke_off_goes_on_the_next_time(hub, tmp_path):
    repository = hub.repositories["org/closes"]
    words = ["text-classification", "--model", "org/closes", "--dataset", "embedded"]
    try:
        assert "was interrupted" in sentence(quick(hub.endpoint, tmp_path, *words))
        repository.fault = ""
        del hub.asked[:]
        assert quick(hub.endpoint, tmp_path, *words).returncode == 0
        assert not any(line.startswith("GET") and "config.json" in line for line in hub.asked)
    finally:
        repository.fault = "closes"


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


def test_a_full_disk_is_said(hub, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        words = ["--model", "org/spam", "--quick", "--out", tmp_path / "results"]
        done = joulebench(hub.endpoint, disk, "run", "text-classification", *words)
        assert f"the disk is full: org/spam does not fit into {disk}" in sentence(done)


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(hub, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    words = ["text-classification", "--model", "org/larger"]
    done = quick(hub.endpoint, tmp_path, *words, preexec_fn=limit)
    assert "the disk is full: org/larger" in sentence(done)
