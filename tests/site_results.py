"""Results and sites for the tests of the site."""

from __future__ import annotations

import time

from boards import rank_results
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import board_files
from bench.results.record import Failure, PowerTrace

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "'; rm -rf ~ #\n$(reboot)",
    "__proto__",
    "a\u202egnp.exe\u0007",
)
FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")
PAGE_SCRIPTS = 'script:is([src="board.js"], [src="result.js"], [src="compare.js"])'
READY = f"document.body.dataset.ready || !document.querySelector({PAGE_SCRIPTS!r})"


def wait_for(page, expression, seconds=30):
    """Wait until an expression is true on a page; its policy forbids to wait inside it."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def write_site_of(folder, *results):
    """Write the board of results; returns the folder of its site."""
    board_files.write_board(rank_results(results), folder)
    return folder / "site"


def with_profile_trial(result):
    """The result with a profile trial of 300 W, then 500 W."""
    trace = PowerTrace(domain="gpu:0", seconds=(0.0, 1.0, 2.0), watts=(300.0, 500.0, 500.0))
    update = {"index": 99, "phase": "profile", "power_trace": (trace,)}
    trial = result.trials[-1].model_copy(update=update)
    return result.model_copy(update={"trials": (*result.trials, trial)})


def mixed_results():
    """A ranked group with a tie, and a modelled, a random, a quick and a failed result."""
    return [
        with_profile_trial(
            result_with_energy(0.1, 0.01, model="m-10", batch=8, steps=20, quality=(0.5, 0.4, 0.6))
        ),
        result_with_energy(0.101, 0.01, model="m-9", dtype="float16", parameters=7_000_000_000),
        result_with_energy(0.3, 0.001, model="m-8", quality=None, parameters=None),
        result_with_energy(0.01, model="m-7", kind="modelled", task="text-gen"),
        result_with_energy(0.21, model="m-6", weights="random"),
        result_with_energy(0.22, model="m-5", profile="quick"),
        synthetic_result(model="m-4", energies=[], failure=FAILED),
        result_with_energy(0.2, 0.001, model="m-3", device="NVIDIA L4", limit=72.0, seconds=2000.0),
    ]
