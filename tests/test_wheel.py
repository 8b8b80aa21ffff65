"""The wheel carries everything: tasks, facts, models, data; it runs outside the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source") / "checkout"
    subprocess.run(["git", "clone", "-q", "--no-local", str(ROOT), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", str(out), str(source)], check=True)
    return next(out.glob("joulebench-*.whl"))


def tracked(*patterns):
    found = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(found.stdout.split("\n")) - {""}


def test_every_file_of_the_packages_is_in_it_and_nothing_else(wheel):
    inside = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert inside == tracked("bench", "tasks")


def test_it_runs_outside_the_checkout(wheel, tmp_path):
    site, place = tmp_path / "site", tmp_path / "somewhere"
    place.mkdir()
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "-q", "--target", str(site)]
    subprocess.run([*command, str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "image-gen", "--model", "embedded/tiny", "--quick",
         "--json"],
        cwd=place, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["status"] == "done"
    saved = list((place / "results" / "image-gen").glob("*.json"))
    assert len(saved) == 1
    where = subprocess.run(
        [sys.executable, "-c", "import bench; print(bench.__file__)"],
        cwd=place, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(site))
