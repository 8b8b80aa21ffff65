"""The sensor part in Markdown: the results of each GPU, and conclusions for the meter's options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.gpu_check.record import number, percent, ratio, table, title
from tools.gpu_check.square_wave import PART_TIME

LATE_SECONDS = 0.02  # a fifth of a usual step
CALIBRATION_HALF_WIDTH = 0.05  # NVIDIA states ± 5 % for power readings of most GPUs
HIGH_OVERHEAD = 0.01  # the most that our meters should change

GpuResults = Mapping[str, Any]


def page(record: Mapping[str, Any]) -> str:
    """The Markdown page."""
    lines = title(record)
    for gpu in record["gpus"]:
        device = gpu["device"]
        lines += [f"## {device['domain']}: {device['name']}", ""]
        lines += [f"- {sentence}" for sentence in conclusions(gpu)] + [""]
        lines += table(["quantity", "value"], [list(row) for row in _figures(gpu)])
        lines += _sweep(gpu)
    return "\n".join(lines).rstrip() + "\n"


def conclusions(gpu: GpuResults) -> Iterator[str]:
    """Sentences on the sensor, with the option of the meter that follows."""
    rest, lag, duty = gpu.get("at_rest", {}), gpu.get("lag", {}), gpu.get("duty", {})
    if duty:
        yield f"By a drifting square wave, {duty['conclusion']}."
    counter_duty = duty.get("counter_duty")
    if counter_duty is not None and counter_duty <= PART_TIME:
        yield f"Measure with the option `nvml_counter_duty={counter_duty:.2f}` on this GPU."
    power_duty = duty.get("power_duty")
    if power_duty is not None:
        yield f"The power reading samples about {100 * power_duty:.0f} % of a step."
    late = lag.get("lag_at_end_seconds")
    if late is not None:
        known = "within" if abs(late) < LATE_SECONDS else "more than"
        yield f"The counter is late by {1000 * late:.1f} ms, {known} {1000 * LATE_SECONDS:.0f} ms."
    for where, results in (("at rest", rest), ("under load", gpu.get("under_load", {}))):
        quotient = results.get("counter_to_power_ratio")
        if quotient is not None and abs(quotient - 1) > CALIBRATION_HALF_WIDTH:
            yield f"Counter and power reading differ {where} by {percent(quotient - 1)}."
    yield from _overhead(gpu)
    yield from (f"Not done: {line}." for line in gpu["skipped"])


def _overhead(gpu: GpuResults) -> Iterator[str]:
    for name in ("energy", "time"):
        interval = gpu.get("overhead", {}).get(f"{name}_ratio")
        if interval is None:
            continue
        if interval["low"] <= 1 <= interval["high"]:
            yield f"Our meters do not change the {name} significantly: {ratio(interval)} times."
        else:
            size = "more" if abs(interval["value"] - 1) > HIGH_OVERHEAD else "less"
            yield f"Our meters change the {name} by {size} than 1 %: {ratio(interval)} times."
    repeat = gpu.get("repeatability", {})
    scatter = repeat.get("relative_standard_deviation")
    stated = repeat.get("stated_relative_uncertainty")
    if scatter is not None and stated is not None:
        yield (
            f"A fixed workload repeats to {percent(scatter)} over {repeat['run_count']} runs; "
            f"each window states {percent(stated)}, drift {percent(repeat['drift'])}."
        )


def _figures(gpu: GpuResults) -> Iterator[tuple[str, str]]:
    rest, load = gpu.get("at_rest", {}), gpu.get("under_load", {})
    lag, duty = gpu.get("lag", {}), gpu.get("duty", {})
    repeat, overhead = gpu.get("repeatability", {}), gpu.get("overhead", {})
    yield "counter step", number(rest.get("counter_step_seconds"), "s", 4)
    yield "its jitter", number(rest.get("counter_jitter_seconds"), "s")
    yield "its longest step", number(rest.get("counter_longest_step_seconds"), "s")
    yield "its quantum", number(rest.get("counter_quantum_joules"), "J")
    yield "power reading's update", number(rest.get("power_update_seconds"), "s", 4)
    for name in ("counter", "power"):
        cost = number(rest.get(f"{name}_read_seconds"), "s")
        slow = number(rest.get(f"{name}_read_seconds_99th"), "s")
        yield f"a read of the {name}", f"{cost} (99 % within {slow})"
        if rest.get(f"{name}_failure"):
            yield f"why the {name} cannot be read", rest[f"{name}_failure"]
    for where, results in (("at rest", rest), ("under load", load)):
        watts = (number(results.get(f"{n}_watts"), "W", 4) for n in ("counter", "power_reading"))
        quotient = number(results.get("counter_to_power_ratio"), digits=4)
        yield f"counter, power reading, ratio {where}", ", ".join((*watts, quotient))
    for end in ("start", "end"):
        late, spread = (lag.get(f"lag_at_{end}_{x}seconds") for x in ("", "spread_"))
        yield f"lag at the {end} of load", f"{number(late, 's')} ± {number(spread, 's')}"
    yield "duty of the counter", percent(duty.get("counter_duty"))
    yield "duty of the power reading", percent(duty.get("power_duty"))
    yield "energy with our meters / without", ratio(overhead.get("energy_ratio"))
    yield "time with our meters / without", ratio(overhead.get("time_ratio"))
    yield "to open and close a window", number(overhead.get("open_and_close_seconds"), "s")
    yield "fixed workload, one inference", number(repeat.get("joules_per_inference"), "J", 4)
    yield (
        "temperature before, after",
        ", ".join(number(gpu.get(f"temperature_{x}_celsius"), "°C") for x in ("before", "after")),
    )


def _sweep(gpu: GpuResults) -> list[str]:
    if "sweep" not in gpu:
        return []
    rows = [
        [number(row["period_steps"]), percent(row["duty"]), percent(row["counter_share"])]
        for row in gpu["sweep"]
    ]
    text = "Square waves: a counter that integrates shows the duty, apart from the GPU's ramps."
    return [text, "", *table(["period in steps", "duty", "share shown by the counter"], rows)]
