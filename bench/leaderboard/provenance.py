"""Whether boundary, scale error, rules and unit are those that the machine and the task give."""

from __future__ import annotations

from collections.abc import Iterator

from bench.results import calibration, domains
from bench.results.record import Result
from bench.runner import protocol
from bench.system.registry import known_task


def contradictions(result: Result) -> Iterator[str]:
    """A sentence for everything that a record says of itself and that the rest of it denies."""
    if domains.measurement_boundary(result.machine) != result.boundary:
        yield "Irreproducible: the boundary is not what the machine's devices and sensors give."
    if calibration.boundary_calibration(result.boundary, result.machine.sensors) != result.gain:
        yield "Irreproducible: the scale error is not that of the sensors inside the boundary."
    if result.status == "done":
        yield from _stopping(result)
        if result.profile != "quick":
            yield from _rules(result)
    yield from _unit(result)


def _stopping(result: Result) -> Iterator[str]:
    count, rules = len(result.measured()), result.protocol
    if count < rules.min_trials:
        yield f"Irreproducible: the run ended after {count} trials, before {rules.min_trials}."
    elif result.stop_reason == "trials" and count < rules.max_trials:
        yield f"Irreproducible: {count} trials are not the {rules.max_trials} it says ended it."


def _rules(result: Result) -> Iterator[str]:
    """Every rule of the run that is weaker than its profile asks for on this machine."""
    rules = result.protocol
    least = protocol.run_protocol(protocol.Order(result.model, result.profile), result.machine)
    weaker = {
        "fewer trials": rules.min_trials < least.min_trials,
        "a wider target": rules.target_relative_half_width > least.target_relative_half_width,
        "a lower confidence level": rules.confidence_level < least.confidence_level,
        "shorter windows": rules.window_seconds < least.window_seconds,
        "fewer inferences in a block": rules.max_inferences != least.max_inferences,
    }
    for what, is_weaker in weaker.items():
        if is_weaker:
            yield f"Irreproducible: the rules allow {what} than a {result.profile} run does."


def _unit(result: Result) -> Iterator[str]:
    """A task that we don't have, or have in another version, may count as it likes."""
    stated = result.task
    known = known_task(stated.id)
    if known is not None and known.version == stated.version and known.unit != stated.unit:
        yield f"Irreproducible: {stated.id} counts in {known.unit}s, not in {stated.unit!r}."
