"use strict";
// Energy, phone charges and CO2e per year from a number of inferences a day and a region.

const DAYS = 365;

const inferences = (slider) => {
  const value = 10 ** Number(slider.value);
  return Number(value.toPrecision(2));
};

// Sentences for `perDay` inferences a day of one result; every range includes calibration uncertainty.
function equivalentsOf(row, task, perDay, grid) {
  const kwh = scaled(withCalibration(row), (perDay * DAYS) / 1000);
  const [unit, scale] = format.energyUnit(kwh[0]);
  const grams = scaled(kwh, grid.grams);
  const [mass, size] = grams[0] >= 1e6 ? ["t", 1e6] : grams[0] >= 1e3 ? ["kg", 1e3] : ["g", 1];
  const phones = scaled(kwh, 1 / jb.shared.charge.value / DAYS);
  const figureOf = (ends) => { const [value, low, high] = format.rough(ends); return [h("b", {}, value), ` (${low}–${high})`]; };
  return h("ul", { class: "equivalences" },
    h("li", {}, figureOf(scaled(kwh, 1 / scale)), ` ${unit} of electricity a year`),
    h("li", {}, figureOf(phones), " phones charged every day"),
    h("li", {}, figureOf(scaled(grams, 1 / size)), ` ${mass} CO₂e a year in ${grid.label} (${grid.grams} g/kWh, ${grid.year}, ${grid.basis})`),
    row.kind === "modelled" && h("li", { class: "notice" }, `The energy is modelled: it may be off by ${Math.round(100 * (row.calibration ?? 0))} % either way.`));
}

// The panel below a table; the result that it describes is selected in it.
function showEquivalents(rows) {
  const panel = $("equivalences");
  if (!panel) return;
  const withEnergy = rows.filter((row) => row.energy);
  panel.hidden = withEnergy.length === 0;
  if (panel.hidden) return;
  const select = panel.querySelector("select[name=which]");
  if (select) {
    const selected = select.value;
    select.replaceChildren(...withEnergy.map((row) => h("option", { value: `${row.task}/${row.id}` }, `${row.model} · ${row.task} · ${row.device}`)));
    if (withEnergy.some((row) => `${row.task}/${row.id}` === selected)) select.value = selected;
  }
  renderEquivalents(withEnergy);
}

function renderEquivalents(withEnergy) {
  const panel = $("equivalences");
  const slider = panel.querySelector("input[name=per-day]");
  const select = panel.querySelector("select[name=which]");
  const region = document.querySelector("select[name=region]");
  const perDay = inferences(slider);
  const grid = regions.find(region.value);
  const shown = select ? withEnergy.filter((row) => `${row.task}/${row.id}` === select.value) : withEnergy;
  slider.setAttribute("aria-valuetext", `${perDay.toLocaleString("en-US")} inferences a day`);
  $("per-day").value = perDay.toLocaleString("en-US");
  $("equivalent-figures").replaceChildren(...shown.map((row) => h("div", {},
    !select && withEnergy.length > 1 ? h("h3", {}, row.model) : null,
    equivalentsOf(row, jb.tasks.get(row.task), perDay, grid))));
  slider.oninput = () => renderEquivalents(withEnergy);
  if (select) select.onchange = () => renderEquivalents(withEnergy);
}
