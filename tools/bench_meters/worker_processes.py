"""The peers' environment, the simulated driver, and the processes that measure windows."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from .meters import IMPORTS, PEERS
from .plan import Job
from .window_errors import Record

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IMPORT_ROUNDS = 3


def log(text: str) -> None:
    """Print progress to standard error."""
    print(text, file=sys.stderr, flush=True)


def peers_python(folder: Path) -> Path:
    """Install the pinned peers into a new environment in `folder`; the path of its Python."""
    log("installing the peers into a temporary environment: a few minutes")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / "peers.txt")], check=True, stderr=subprocess.DEVNULL)
    return python


def build_driver(folder: Path) -> Path:
    """Compile the simulated driver into `folder`, which goes first in LD_LIBRARY_PATH."""
    folder.mkdir()
    library = str(folder / "libnvidia-ml.so.1")
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", library, str(HERE / "driver.c"), "-lm"]
    subprocess.run(command, check=True)
    smi = folder / "nvidia-smi"  # CodeCarbon detects a GPU only where this can be run
    smi.write_text("#!/bin/sh\n")
    smi.chmod(0o755)
    return folder


class WorkerProcesses:
    """Starts workers, each with a simulated GPU and a working folder of its own."""

    def __init__(self, folder: Path, peers: Path) -> None:
        self._folder = folder
        self._peers = peers
        self._driver = build_driver(folder / "driver")
        self._count = 0
        self._lock = threading.Lock()

    def python(self, tool: str) -> str:
        """The Python that has this tool."""
        return str(self._peers) if tool in PEERS else sys.executable

    def start(self, job: Job) -> subprocess.Popen[str]:
        """Start a worker; it has opened its tool and waits."""
        with self._lock:
            self._count += 1
            work = self._folder / f"work-{self._count}"
        work.mkdir()
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(self._driver),
            "PATH": f"{self._driver}{os.pathsep}{os.environ['PATH']}",
            "JOULEBENCH_SIMULATED_GPUS": str(work / "gpu"),
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("CUDA_VISIBLE_DEVICES", None)
        process = subprocess.Popen(
            [self.python(job.tool), str(HERE / "worker.py"), json.dumps(job.as_dict())],
            cwd=work,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "ready":
                break
        return process

    def finish(self, job: Job, process: subprocess.Popen[str]) -> list[Record]:
        """Let a worker measure; its records."""
        output, _ = process.communicate("go\n")
        rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        if process.returncode != 0:
            log(f"a worker ended with {process.returncode}: {job}")
        return rows

    def run(self, job: Job) -> list[Record]:
        """Start a worker and let it measure; its records."""
        return self.finish(job, self.start(job))

    def import_seconds(self, tool: str) -> float:
        """Median time of the import above that of an empty Python, at rest."""

        def once(code: str) -> float:
            began = time.perf_counter()
            command = [self.python(tool), "-c", code]
            environment = {**os.environ, "LD_LIBRARY_PATH": str(self._driver)}
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
            return time.perf_counter() - began

        once(IMPORTS[tool])
        pairs = [once(IMPORTS[tool]) - once("pass") for _ in range(IMPORT_ROUNDS)]
        return statistics.median(pairs)


def versions(python: Path) -> dict[str, str]:
    """Versions of the peers in the environment of this Python."""
    code = (
        "import importlib.metadata as m, json; print(json.dumps({n: m.version(n) for n in "
        "('zeus', 'codecarbon', 'optimum-benchmark', 'nvidia-ml-py', 'torch')}))"
    )
    answer = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout))
