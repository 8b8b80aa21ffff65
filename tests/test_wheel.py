"""The wheel has all tasks, facts, models and data, and runs outside the checkout."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

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
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split("\n")) - {""}


def test_wheel_has_exactly_the_tracked_files_of_the_packages(wheel):
    packed = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert packed == tracked("bench", "tasks")


def test_wheel_has_the_licence_of_every_file_and_the_licence_texts(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = [n for n in packed.namelist() if ".dist-info/licenses/" in n]
        metadata = next(n for n in packed.namelist() if n.endswith(".dist-info/METADATA"))
        stated = packed.read(metadata).decode("utf-8")
    shipped = {n.split(".dist-info/licenses/")[1] for n in names}
    assert shipped == tracked("LICENSE", "NOTICE", "REUSE.toml", "LICENSES")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\nLicense-Expression: {project['license']}\n" in stated


def test_installed_wheel_runs_outside_the_checkout(wheel, tmp_path):
    packages, folder = tmp_path / "packages", tmp_path / "elsewhere"
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "-q", "--target", str(packages)]
    subprocess.run([*command, str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "image-gen", "--model", "embedded/tiny", "--quick",
         "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["status"] == "done"
    saved = list((folder / "results" / "image-gen").glob("*.json"))
    assert len(saved) == 1
    located = subprocess.run(
        [sys.executable, "-c", "import bench; print(bench.__file__)"],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert located.stdout.startswith(str(packages))
