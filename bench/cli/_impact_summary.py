"""Terminal summaries of projections, job estimates, life cycles and claims.

Title, headline, named values, stages and caveats, in the same layout for all commands on impact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.impact import claims, facts
from bench.impact.claims import Claim
from bench.impact.job_estimate import JobDescription, JobEstimate
from bench.impact.lifecycle import LifeCycle, LifeCycleStage
from bench.impact.projection import Projection, TrainingComparison
from bench.impact.sci import SciScore, SciScores
from bench.reports.text_layout import name_value_table, print_blocks
from bench.results.formatting import (
    MISSING,
    interval_text,
    large_energy_unit,
    large_number_text,
    mass_unit,
)
from bench.results.interval import Interval


def print_projection(projected: Projection) -> None:
    """Print a result at scale: energy of a day, equivalents, other batch sizes, training."""
    service, grid = projected.service, projected.grid
    home = facts.table("equivalences")["home-day-us"]
    home_text = f"{home.label}: {home.value:g} kWh ({home.edition})"
    reactors = "under 0.001"
    if service.reactors.high >= 0.001:
        reactors = interval_text(service.reactors)
    kind = "modelled, NOT measured" if projected.cost.modelled else "measured"
    year = f"{_energy_text(service.kwh_per_year)}, {_mass_text(service.grams_per_year)} CO2e"
    rows = [
        ("a year", year),
        ("CO2e a day", f"{_mass_text(service.grams_per_day)}   {grid.label}, {grid.basis}"),
        ("homes", f"{interval_text(service.homes)}   {home_text}"),
        ("reactors", f"{reactors}   of 1 GW, 24 h a day"),
    ]
    if service.machines:
        machines = f"{interval_text(service.machines)} x {projected.machine}, at work 24 h a day"
        rows.append(("machines", machines))
    parts: list[RenderableType] = [
        _title(projected.name, f"{service.per_day:,.0f} inferences a day"),
        _headline(_energy_text(service.kwh_per_day), "a day", f"{kind}, extrapolated"),
        name_value_table(rows),
    ]
    if len(projected.batching) > 1:
        gains = [(_energy_text(gain.kwh_per_day), gain.label) for gain in projected.batching]
        parts.append(_section("other batch sizes, by published figures", gains))
    if projected.training:
        rows = _training_rows(projected.training, service.kwh_per_day / service.per_day)
        parts.append(_section("against training", rows, style="dim"))
    _print_parts(*parts, _notes(projected.notes))


def print_estimate(job: JobDescription, estimate: JobEstimate, caveats: Iterable[str]) -> None:
    """Print a job estimate: by both formulas, why they differ, and stage by stage."""
    tdp_energy, energy = _energy_text(estimate.ml_co2_kwh), _energy_text(estimate.energy_kwh)
    tdp_mass, mass = _mass_text(estimate.ml_co2_grams), _mass_text(estimate.operational_grams)
    rows = [
        ("ML CO2 Impact", f"{tdp_energy}, {tdp_mass} CO2e: TDP x hours x grid"),
        ("with overheads", f"{energy}, {mass} CO2e"),
        ("with hardware", f"{_mass_text(estimate.grams)} CO2e, embodied emissions included"),
        ("grid", f"{estimate.intensity.label}   {estimate.intensity.basis}"),
    ]
    board = estimate.board.label.removeprefix("NVIDIA ")
    steps = [(_energy_text(kwh), label) for label, kwh in estimate.steps]
    _print_parts(
        _title(board, f"{job.count:g} of them for {job.hours:,g} h"),
        _headline(energy, "", "an estimate, NOT measured"),
        name_value_table(rows),
        _section("why the two differ", steps),
        Group(Text("stage by stage", style="italic"), _stages(estimate.stages)),
        _notes(caveats),
    )


def print_lifecycle(computed: LifeCycle, scores: SciScores, caveats: Iterable[str]) -> None:
    """Print the stages of a life cycle, their sum, and the SCI scores."""
    kind = computed.kind
    if computed.missing:
        kind += f"; {', '.join(computed.missing)} not known, not included"
    rows = [("grid", f"{computed.intensity.label}   {computed.intensity.basis}")]
    if computed.covers == "to train":
        rows.insert(0, ("total / dynamic", f"{interval_text(computed.over_dynamic)} times"))
    _print_parts(
        _title(computed.name),
        _headline(_mass_text(computed.grams), f"CO2e {computed.covers}", kind),
        _stages(computed.stages),
        name_value_table([*rows, *_score_rows(scores)]),
        _notes(caveats),
    )


def print_claims(selected: Iterable[Claim]) -> None:
    """Print claims with their recomputed and published values, caveat and source."""
    title = _title("Claims, published values, and values recomputed from published facts")
    _print_parts(title, *map(_claim_part, selected))


def _claim_part(claim: Claim) -> Group:
    """A claim: each value, its unit with low and high, its name, and below it the comparison."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True, justify="right", min_width=11)
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(overflow="fold")
    for each in claim.quantities:
        comparison = (f"\n{claims.comparison_text(each)}", "dim")
        name = Text.assemble(each.quantity, comparison)
        table.add_row(*map(Text, claims.value_text(each)), name)
    detail = "" if claim.quantities else "context, not computed"
    notes = [Text(f"! {claim.caveat}", style="yellow"), Text(claim.source, style="dim")]
    content = Group(table, *notes)
    return Group(_title(f"{claim.id:<4}{claim.claim}", detail), Padding(content, (0, 0, 0, 4)))


def _training_rows(training: TrainingComparison, use_kwh: Interval) -> list[tuple[str, str]]:
    percent = 100 * training.training_share
    uses, days = large_number_text(training.break_even), interval_text(training.days)
    share, use = _energy_text(training.training_kwh), _energy_text(use_kwh)
    parts = f"{share} of training, {use} of use: {percent:.3g} %"
    all_uses = large_number_text(Interval.of(training.uses))
    return [
        ("training", f"{_energy_text(training.energy_kwh)}   {training.name}: {training.source}"),
        ("break-even", f"after {uses} inferences: {days} days"),
        ("share of a use", f"{parts}, over {all_uses} uses"),
    ]


def _score_rows(scores: SciScores) -> Iterator[tuple[str, str]]:
    """SCI per inference and both scores of SCI for AI, or the reason why there is none."""
    yield "SCI", _score_text(scores.inference, scores.no_consumer)
    yield "SCI for AI", f"consumer: {_score_text(scores.consumer, scores.no_consumer)}"
    for score in scores.providers or [None]:
        yield "", f"provider: {_score_text(score, scores.no_provider)}"


def _score_text(score: SciScore | None, reason: str | None) -> str:
    if score is None:
        return f"none: {reason}"
    text = f"{_mass_text(score.grams)} CO2e per {score.unit}"
    return text if score.complete else f"{text}, operational emissions only: {score.missing}"


def _print_parts(*parts: RenderableType) -> None:
    print_blocks(parts, Console(highlight=False))


def _title(text: str, detail: str = "") -> Text:
    """The subject in bold, with a detail after it."""
    return Text.assemble((text, "bold"), f" · {detail}" if detail else "")


def _headline(figure: str, label: str, kind: str) -> Text:
    """The main figure, its label, and whether it was measured."""
    style = "bold green" if kind == "measured" else "bold yellow"
    return Text.assemble((figure, style), f" {label}".rstrip(), "   ", (kind, "bold"))


def _notes(texts: Iterable[str]) -> Table:
    return name_value_table([("! caveat", text) for text in texts], style="yellow")


def _stages(rows: Iterable[LifeCycleStage]) -> Table:
    """The stages of a life cycle: energy and emissions, and below them their calculation."""
    texts = [(stage, _energy_text(stage.energy_kwh), _mass_text(stage.grams)) for stage in rows]
    width = max(len(energy) for _, energy, _ in texts)
    cells = []
    for stage, energy, mass in texts:
        text = Text(f"not known: {stage.missing}", style="yellow")
        if not stage.missing:
            calculation = (f"\n{stage.calculation}", "dim")
            text = Text.assemble(f"{energy:<{width}}   {mass}", calculation)
        cells.append((stage.name, text))
    return name_value_table(cells)


def _section(heading: str, rows: Iterable[tuple[str, str]], style: str = "") -> Group:
    return Group(Text(heading, style="italic"), name_value_table(rows, style))


def _energy_text(kwh: Interval | float | None) -> str:
    """An energy in kWh in a readable unit: "500 (283 to 828) MWh"; a dash where not known."""
    if kwh is None:
        return MISSING
    energy = Interval.of(kwh)
    unit, size = large_energy_unit(energy.value)
    return interval_text(energy / size, unit)


def _mass_text(grams: Interval | None) -> str:
    """A mass in grams in a readable unit: "24.7 t"; a dash where not known."""
    if grams is None:
        return MISSING
    unit, size = mass_unit(grams.value)
    return interval_text(grams / size, unit)
