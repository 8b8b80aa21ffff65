"""Ablation of settings: the same requests with one setting changed at a time, interleaved.

Windows follow each other A B C, C B A, A B C …, so that drift of the machine affects all variants
alike. The effect of a variant is the mean over rounds of log(its energy / energy of the base): the
two windows of a round are a pair, and a factor that both share cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.analysis.comparison import quality_difference
from bench.backends import ModelNotFound, ModelSpec
from bench.results import statistics
from bench.results.analysis_versions import analysis_parameters
from bench.results.correlated_mean import mean_half_width
from bench.results.record import Estimate, Result
from bench.runner import events, run
from bench.runner.config import DIFFUSION_TAGS, RunConfig, apply_override
from bench.runner.interleaving import Variant, finish_variant, run_interleaved
from bench.runner.quiet_machine import wait_for_quiet_machine
from bench.system.clock import Clock, SystemClock

BASE = "base"
ROUNDS = analysis_parameters().min_long_trials

# Overrides that are measured by default, where they change the configuration; "gpu" ones need a
# GPU, "diffusion" ones a task that draws.
DEFAULT_OVERRIDES = (
    ("dtype=fp16", "gpu"),
    ("dtype=bf16", ""),
    ("batch=8", ""),
    ("quantization=int8", ""),
    ("compile=on", ""),
    ("attention=eager", ""),
    ("steps=10", "diffusion"),
)


@dataclass(frozen=True)
class AblationResult:
    """The effect of one variant: ratios variant / base, the quality difference, or the reason.

    `energy` is that of all domains of the boundary; where modelled, a ratio of CPU time.
    `why_not` says why a figure is missing.
    """

    variant: str
    result: Result | None = None
    path: Path | None = None
    energy: Estimate | None = None
    duration: Estimate | None = None
    quality: Estimate | None = None
    why_not: str | None = None


def default_variants(config: RunConfig, spec: ModelSpec) -> list[str]:
    """The overrides to measure where the user names none; `spec` is the base's.

    An override that leaves the configuration as it is, such as float16 where "auto" is float16
    already, is left out.
    """
    on_gpu = spec.devices[0] != "cpu"
    applies = {"": True, "gpu": on_gpu, "diffusion": spec.tag in DIFFUSION_TAGS}
    overrides = [override for override, condition in DEFAULT_OVERRIDES if applies[condition]]
    base = _effective(config, spec)
    return [o for o in overrides if _effective(apply_override(config, o), spec) != base]


def run_ablation(
    config: RunConfig,
    overrides: Sequence[str] | None,
    on_event: events.OnEvent = events.ignore,
    rounds: int = ROUNDS,
    clock: Clock | None = None,
) -> list[AblationResult]:
    """Measure a configuration and its variants, interleaved; the first of the list is the base.

    `overrides` are such as "dtype=bf16"; None measures the default ones. A variant that this
    machine does not support, or that fails, is listed with the reason. Raises ValueError, with one
    sentence, for an unknown override and where there is no such task, model or data set.
    """
    base = run.resolve(config)
    if overrides is None:
        overrides = default_variants(config, base.spec)
    configs = [(override, apply_override(config, override)) for override in overrides]
    unsupported: list[AblationResult] = []
    clock = clock or SystemClock()
    with run.lock_machine(on_event):
        wait_for_quiet_machine(config.profile, clock, on_event)
        instruments, machine = run.open_instruments(base, clock)
        variants = [Variant(BASE, base.loop(instruments, machine))]
        for name, changed in configs:
            try:
                variants.append(Variant(name, run.resolve(changed).loop(instruments, machine)))
            except ModelNotFound as error:
                unsupported.append(AblationResult(name, why_not=str(error)))
        run_interleaved(variants, rounds, on_event)
    results = [finish_variant(variant) for variant in variants]
    pairs = zip(variants, results, strict=True)
    return [_effect(variant, result, results[0]) for variant, result in pairs] + unsupported


def _effective(config: RunConfig, spec: ModelSpec) -> RunConfig:
    """The configuration with its precision resolved."""
    return config.with_changes(dtype=replace(spec, settings=config).dtype)


def _effect(variant: Variant, result: Result, base: Result) -> AblationResult:
    effect = AblationResult(variant.name, result, variant.run.recorder.path)
    if result.failure is not None:
        return replace(effect, why_not=result.failure.message)
    quality, why = quality_difference(base, result) if result is not base else (None, None)
    own, reference = _energies(result), _energies(base)
    energy = None if own is None or reference is None else paired_ratio(own, reference)
    if own is None or reference is None:
        why = "the energy of a window could not be read"
    times = ([trial.duration_seconds for trial in r.measured()] for r in (result, base))
    duration = paired_ratio(*times)
    return replace(effect, energy=energy, duration=duration, quality=quality, why_not=why)


def _energies(result: Result) -> list[float] | None:
    """Joules of each window over the boundary, or None where one could not be read."""
    domains = result.boundary.domains
    values = [statistics.energy_joules(trial, domains) for trial in result.measured()]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def paired_ratio(values: Sequence[float], base: Sequence[float]) -> Estimate | None:
    """The ratio values / base of two series of windows, from the logarithms of their pairs.

    Returns the geometric mean with its 95 % interval, or None for fewer than two positive pairs.
    """
    pairs = [(a, b) for a, b in zip(values, base, strict=False) if a > 0 and b > 0]
    if len(pairs) < 2:
        return None
    logarithms = [math.log(a / b) for a, b in pairs]
    mean = math.fsum(logarithms) / len(pairs)
    half_width = mean_half_width([logarithms], statistics.CONFIDENCE)
    return Estimate(
        value=math.exp(mean),
        low=math.exp(mean - half_width),
        high=math.exp(mean + half_width),
        confidence_level=statistics.CONFIDENCE,
        sample_count=len(pairs),
    )
