"""A result as a person reads it on a terminal: what it cost, how sure we are, what it means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench import stats
from bench.footprint import carbon, equivalences, words
from bench.records import Estimate, Machine, Result


def show(result: Result, path: Path, console: Console, edition: str, next_step: str) -> None:
    """Print the summary of a run. `edition` names the phone charge to compare with."""
    parts: list[RenderableType] = [_title(result)]
    if result.status == "failed" and result.failure is not None:
        parts.append(_failure(result))
    summary = result.summary
    energy = summary.energy_kwh_per_1000 if summary else None
    if energy is not None:
        parts += [_headline(result, energy), _figures(result, energy, edition)]
    elif result.status != "failed":
        parts.append(Text("No energy could be read; see the doubts below.", style="bold red"))
    if result.doubts:
        parts.append(_doubts(result))
    parts.append(_where(path, next_step))
    console.print(Padding(Group(*_spaced(parts)), (1, 2)))


def greatest_uncertainty(result: Result, energy: Estimate) -> str:
    """Which source makes the figure least sure, in words."""
    scatter = stats.relative_half_width(energy) or 0.0
    gain = result.gain.relative_half_width if result.gain else 0.0
    if gain >= scatter and result.gain is not None:
        kind = (
            "the model of the CPU" if result.boundary.kind == "modelled" else "the sensor's scale"
        )
        return f"{kind}: ±{100 * gain:.0f} % ({result.gain.source})"
    return f"scatter from trial to trial: ±{100 * scatter:.1f} %"


def _title(result: Result) -> Text:
    title = Text()
    title.append(result.task.id, style="bold")
    title.append(f" · {result.model.id}", style="bold")
    size = result.model.parameter_count
    if size:
        title.append(f" · {words.count(size)} parameters")
    batch = result.model.settings.get("batch_size")
    title.append(f" · {result.model.dtype or 'no dtype'} · batch {batch} · {_device(result)}")
    return title


def _device(result: Result) -> str:
    used = [d for d in result.machine.devices if d.used and d.domain.startswith("gpu:")]
    if used:
        return ", ".join(d.name for d in used)
    return f"CPU ({result.machine.cpu_name}, {result.machine.cpu_logical_count} logical)"


def _headline(result: Result, energy: Estimate) -> RenderableType:
    unit, size = words.energy_unit(energy.value)
    value, low, high = words.span(energy, size)
    modelled = result.boundary.kind == "modelled"
    line = Text()
    line.append(f"{value} {unit}", style="bold yellow" if modelled else "bold green")
    line.append(f" per 1,000 {_things(result)}")
    line.append("   MODELLED, NOT MEASURED" if modelled else "   measured", style="bold")
    trials = result.measured()
    each = trials[0].work.inference_count if trials else 0
    level = 100 * energy.confidence_level
    under = Text(
        f"{low} to {high} {unit} ({level:.0f} % interval from {energy.sample_count} trials "
        f"of {each}; scale error apart)",
        style="dim",
    )
    return Group(line, under)


def _things(result: Result) -> str:
    return {"image": "images", "token": "generations"}.get(result.task.unit, "inferences")


def _figures(result: Result, energy: Estimate, edition: str) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(result, energy, edition):
        table.add_row(name, value)
    return table


def _rows(result: Result, energy: Estimate, edition: str) -> Iterator[tuple[str, str]]:
    summary = result.summary
    if summary is None:
        return
    if summary.energy_joules_per_unit is not None:
        yield f"per {result.task.unit}", f"{_plus_minus(summary.energy_joules_per_unit, 1.0)} J"
    if summary.duration_seconds_per_inference is not None:
        unit, size = words.time_unit(summary.duration_seconds_per_inference.value)
        text = _plus_minus(summary.duration_seconds_per_inference, size)
        yield "time each", f"{text} {unit}"
    if summary.net_energy_kwh_per_1000 is not None:
        unit, size = words.energy_unit(energy.value)
        text = _plus_minus(summary.net_energy_kwh_per_1000, size)
        yield "above idle", f"{text} {unit} per 1,000"
    charges = equivalences.phone_charges(energy, edition)
    charge = equivalences.phone_charge(edition)
    yield (
        "phone charges",
        f"{words.number(charges.value)} per 1,000, at {charge.value:g} kWh a charge "
        f"({charge.source.split(':')[0]}, {charge.edition})",
    )
    yield from _carbon(energy)
    if result.quality is not None:
        q = result.quality
        yield (
            "quality",
            f"{q.metric} {q.value:.2f} ({q.low:.2f} to {q.high:.2f}, {q.sample_count} requests)",
        )
    yield "boundary", f"{', '.join(result.boundary.domains)} ({result.boundary.kind})"
    yield "least sure of", greatest_uncertainty(result, energy)


def _carbon(energy: Estimate) -> Iterator[tuple[str, str]]:
    """Grams on each grid, those of one basis on one line; never a ratio across bases."""
    by_basis: dict[str, list[str]] = {}
    for key in carbon.SHOWN:
        found, fact = carbon.grams(energy, key), carbon.grid(key)
        text = f"{words.number(found.value)} g {fact.label} ({fact.value:g} g/kWh, {fact.edition})"
        by_basis.setdefault(found.basis, []).append(text)
    for basis, texts in by_basis.items():
        yield "CO2e per 1,000", f"{', '.join(texts)}: {basis}"


def _plus_minus(estimate: Estimate, size: float) -> str:
    value, low, high = words.span(estimate, size)
    return f"{value} ({low} to {high})"


def _doubts(result: Result) -> RenderableType:
    lines: list[RenderableType] = [Text("Doubts", style="bold")]
    for doubt in result.doubts:
        mark = "✗ no rank  " if doubt.bars_ranking else "! note     "
        line = Text(mark, style="red" if doubt.bars_ranking else "yellow")
        line.append(doubt.message, style="default")
        lines += [line, Text(f"           {doubt.cure}", style="dim")]
    return Group(*lines)


def _failure(result: Result) -> Text:
    failure = result.failure
    if failure is None:
        return Text()
    words_ = f"Failed while at {failure.stage}: {failure.code}. {failure.message}"
    return Text(words_, style="bold red")


def _where(path: Path, next_step: str) -> RenderableType:
    return Group(Text(f"saved  {path}"), Text(f"next   {next_step}"))


def _spaced(parts: list[RenderableType]) -> Iterator[RenderableType]:
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part


def show_machine(machine: Machine, console: Console) -> None:
    """Print what this machine can measure, and for what can't be read, why."""
    table = Table(title="Sensors", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("meter", "covers", "method", "step", "state"):
        table.add_column(name, overflow="fold", header_style="dim")
    for sensor in machine.sensors:
        step = sensor.step_seconds
        table.add_row(
            sensor.meter,
            ", ".join(sensor.domains) or "-",
            sensor.method or "-",
            f"{1000 * step:.1f} ms" if step else "-",
            Text("reads", style="green") if sensor.usable else Text(sensor.reason or "", "yellow"),
        )
    console.print(Padding(Group(*_spaced([_machine_line(machine), table, _good_for(machine)])), 1))


def _machine_line(machine: Machine) -> Text:
    gpus = [d.name for d in machine.devices if d.domain.startswith("gpu:")]
    shown = ", ".join(gpus) or "no NVIDIA GPU"
    return Text(f"{machine.cpu_name}, {machine.cpu_logical_count} logical CPUs; {shown}", "bold")


def _good_for(machine: Machine) -> Text:
    usable = [s for s in machine.sensors if s.usable and s.method != "modelled"]
    if usable:
        return Text("Results from here are measured and can be ranked.", style="green")
    return Text(
        "No sensor: energy from here is modelled. Results are shown, and are never ranked.",
        style="yellow",
    )
