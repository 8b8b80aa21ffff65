"""Coverage of the interval of a run in simulated worlds; writes docs/coverage.md.

`python -m tools.run_coverage [--runs 2000] [--seed N]`. Noise is defined in time: a run's power
follows an Ornstein-Uhlenbeck process, independent noise, or noise with outliers, and windows of 5 s
average it. A run stops by the rules of the protocol; means, intervals and variation between runs
are those of the analysis that ships. Nothing is measured here.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.results.analysis_versions import analysis_parameters
from bench.results.correlated_mean import between_runs_half_width, mean_half_width
from bench.runner.protocol import MIN_TRIALS_PER_PROCESS, TARGETS

PAGE = Path("docs/coverage.md")
PARAMETERS = analysis_parameters()
WINDOW_SECONDS = PARAMETERS.min_window_seconds
TARGET = TARGETS["standard"]
STEPS_PER_WINDOW = 5

Samples = npt.NDArray[np.float64]
Noise = Callable[[np.random.Generator, int, int], Samples]


@dataclass(frozen=True)
class World:
    """Relative noise of windows: (generator, runs, windows) to an array; the truth is `mean`."""

    name: str
    noise: Noise
    mean: float = 1.0


@dataclass(frozen=True)
class SimulatedRun:
    """The figures of one run: mean, repeatability and variation between runs, windows served."""

    mean: float
    half_width: float
    between: float
    windows: int

    @property
    def in_all(self) -> float:
        return math.hypot(self.half_width, self.between)


def independent(sd: float) -> Noise:
    """Independent normal noise; `sd` is that of a mean over 10 s."""
    scale = sd * math.sqrt(10 / WINDOW_SECONDS)
    return lambda generator, runs, windows: 1 + generator.normal(0, scale, (runs, windows))


def correlated(sd: float, correlation: float) -> Noise:
    """An Ornstein-Uhlenbeck process whose means over 10 s have this deviation and correlation."""
    tau = _correlation_time(correlation)
    scale = sd / math.sqrt(_variance_of_mean(10 / tau))
    step = WINDOW_SECONDS / STEPS_PER_WINDOW
    decay = math.exp(-step / tau)

    def noise(generator: np.random.Generator, runs: int, windows: int) -> Samples:
        count = windows * STEPS_PER_WINDOW
        values = np.empty((runs, count))
        values[:, 0] = generator.normal(0, scale, runs)
        steps = generator.normal(0, scale * math.sqrt(1 - decay**2), (runs, count))
        for i in range(1, count):
            values[:, i] = decay * values[:, i - 1] + steps[:, i]
        means: Samples = 1 + values.reshape(runs, windows, STEPS_PER_WINDOW).mean(axis=2)
        return means

    return noise


def with_outliers(sd: float, share: float = 0.1, size: float = 0.08) -> Noise:
    """Independent noise, and a window in ten that takes 8 % more."""
    plain = independent(sd)

    def noise(generator: np.random.Generator, runs: int, windows: int) -> Samples:
        samples = plain(generator, runs, windows)
        return samples + size * (generator.random((runs, windows)) < share)

    return noise


def worlds() -> tuple[World, ...]:
    """The simulated worlds, in the order of the table."""
    return (
        *(
            World(f"independent, {100 * sd:g} %", independent(sd))
            for sd in (0.003, 0.01, 0.02, 0.03)
        ),
        *(
            World(f"correlation {r:g}, {100 * sd:g} %", correlated(sd, r))
            for r in (0.4, 0.7)
            for sd in (0.003, 0.01, 0.02)
        ),
        *(
            World(f"one in ten +8 %, {100 * sd:g} %", with_outliers(sd), 1.008)
            for sd in (0.003, 0.01)
        ),
    )


def simulate(
    world: World, processes: int, between: float, runs: int, generator: np.random.Generator
) -> list[SimulatedRun]:
    """Runs that stop by the protocol; `between` is the true deviation between processes."""
    most = PARAMETERS.max_trials // processes
    levels = 1 + generator.normal(0, between, (processes, runs, 1))
    samples = [level * world.noise(generator, runs, most) / world.mean for level in levels]
    return [_stop([list(map(float, part[i])) for part in samples]) for i in range(runs)]


def _stop(samples: Sequence[Sequence[float]]) -> SimulatedRun:
    """The run at the first look that meets the target, each process serving as many windows."""
    least = max(MIN_TRIALS_PER_PROCESS, math.ceil(PARAMETERS.min_trials / len(samples)))
    for count in range(least, len(samples[0]) + 1):
        parts = [part[:count] for part in samples]
        mean = math.fsum(map(math.fsum, parts)) / count / len(parts)
        half_width = mean_half_width(parts, PARAMETERS.t_confidence) / mean
        if half_width <= TARGET:
            break
    between = between_runs_half_width(parts, PARAMETERS.run_to_run_sd, PARAMETERS.t_confidence)
    return SimulatedRun(mean, half_width, between or math.inf, count * len(parts))


def rows(runs: int, generator: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The rows of the table: one for each world and number of processes."""
    for world in worlds():
        for processes in (1, 3):
            done = simulate(world, processes, 0.0, runs, generator)
            spread = simulate(world, processes, 0.005, runs, generator)
            pairs = list(zip(spread[::2], spread[1::2], strict=False))
            yield (
                world.name,
                str(processes),
                _percent(_covers(run, run.half_width) for run in done),
                _percent(_covers(run, run.in_all) for run in spread),
                f"{100 * statistics.median(run.half_width for run in done):.2f} %",
                f"{100 * statistics.median(run.in_all for run in done):.2f} %",
                f"{WINDOW_SECONDS * statistics.median(run.windows for run in done):.0f} s",
                _percent(run.half_width <= TARGET for run in done),
                _percent(_differ(a, b, 1.0) for a, b in pairs),
                _percent(_differ(a, b, 1.05) for a, b in pairs),
                _percent(_differ(a, b, 1.10) for a, b in pairs),
            )


HEADER = (
    *("noise of 10 s", "processes", "covered within", "covered in all", "± within", "± in all"),
    *("windows", "target met", "false differences", "5 % found", "10 % found"),
)


def page(runs: int, seed: int) -> str:
    """The page in Markdown."""
    generator = np.random.default_rng(seed)
    table = [HEADER, ("---",) * len(HEADER), *rows(runs, generator)]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in table)
    return TEXT.format(table=lines, runs=runs, seed=seed)


TEXT = """# Coverage of the interval of a run

`python -m tools.run_coverage` wrote this page: {runs:,} simulated runs in each cell, seed {seed}.
Nothing here was measured. A run serves windows of 5 s until the interval within its processes is
±2 % or 50 windows are served. Noise is stated for means over 10 s; correlated noise has that
correlation from one 10 s to the next, and its level drifts in time, not from window to window.

- *Covered within*: how many of the intervals of repeatability hold the mean that the processes of
  the run would have in the long run. Runs do not differ here.
- *Covered in all*: runs differ by 0.5 % (standard deviation); the interval with variation between
  runs holds the mean over all runs.
- *False differences* and *found*: of pairs of runs of equal energy, and of pairs that truly differ
  by 5 and 10 %, those whose interval of the ratio leaves out 1. Runs differ by 0.5 %.
- *Processes*: the analysis knows several processes in a run; the command runs one so far.
- The truth of noise with outliers is the long-run mean, outliers included.

{table}
"""


def _covers(run: SimulatedRun, half_width: float) -> bool:
    return abs(math.log(run.mean)) <= half_width


def _differ(a: SimulatedRun, b: SimulatedRun, ratio: float) -> bool:
    return abs(math.log(ratio * a.mean / b.mean)) > math.hypot(a.in_all, b.in_all)


def _percent(hits: Iterator[bool]) -> str:
    return f"{100 * statistics.fmean(hits):.1f} %"


def _variance_of_mean(a: float) -> float:
    """Variance of the mean over `a` time constants of a process of variance 1."""
    return 2 * (a - 1 + math.exp(-a)) / a**2


def _correlation_time(correlation: float) -> float:
    """The time constant at which successive means over 10 s have this correlation, by bisection."""
    low, high = 0.1, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        a = 10 / middle
        reached = ((1 - math.exp(-a)) / a) ** 2 / _variance_of_mean(a)
        low, high = (low, middle) if reached > correlation else (middle, high)
    return low


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.run_coverage", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20_261_126)
    arguments = parser.parse_args()
    PAGE.write_text(page(arguments.runs, arguments.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
