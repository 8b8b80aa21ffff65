"use strict";
// "What does it mean": inferences a day and a region in, energy, phones and CO2e out, at once.

const DAYS = 365;

const inferences = (slider) => {
  const value = 10 ** Number(slider.value);
  return Number(value.toPrecision(2));
};

// Sentences for so many inferences a day of one result, with the scale error in every range.
function meaning(row, task, many, grid) {
  const kwh = times(whole(row), (many * DAYS) / 1000);
  const [unit, scale] = words.energyUnit(kwh[0]);
  const grams = times(kwh, grid.grams);
  const [mass, size] = grams[0] >= 1e6 ? ["t", 1e6] : grams[0] >= 1e3 ? ["kg", 1e3] : ["g", 1];
  const phones = times(kwh, 1 / jb.shared.charge.value / DAYS);
  const said = (ends) => { const [value, low, high] = words.rough(ends); return [h("b", {}, value), ` (${low}–${high})`]; };
  return h("ul", { class: "meaning" },
    h("li", {}, said(times(kwh, 1 / scale)), ` ${unit} of electricity a year`),
    h("li", {}, said(phones), " phones charged every day"),
    h("li", {}, said(times(grams, 1 / size)), ` ${mass} CO₂e a year in ${grid.label} (${grid.grams} g/kWh, ${grid.year}, ${grid.basis})`),
    row.kind === "modelled" && h("li", { class: "off" }, `The energy is modelled: it may be off by ${Math.round(100 * (row.calibration ?? 0))} % either way.`));
}

// The panel under a table: which of the rows in sight it speaks of is chosen in it.
function mean(rows) {
  const panel = $("meaning");
  if (!panel) return;
  const known = rows.filter((row) => row.energy);
  panel.hidden = known.length === 0;
  if (panel.hidden) return;
  const select = panel.querySelector("select[name=which]");
  if (select) {
    const before = select.value;
    select.replaceChildren(...known.map((row) => h("option", { value: `${row.task}/${row.id}` }, `${row.model} · ${row.task} · ${row.device}`)));
    if (known.some((row) => `${row.task}/${row.id}` === before)) select.value = before;
  }
  answer(known);
}

function answer(known) {
  const panel = $("meaning");
  const slider = panel.querySelector("input[name=many]");
  const select = panel.querySelector("select[name=which]");
  const region = document.querySelector("select[name=region]");
  const many = inferences(slider);
  const grid = regions.find(region.value);
  const shown = select ? known.filter((row) => `${row.task}/${row.id}` === select.value) : known;
  slider.setAttribute("aria-valuetext", `${many.toLocaleString("en-US")} inferences a day`);
  $("many").value = many.toLocaleString("en-US");
  $("answers").replaceChildren(...shown.map((row) => h("div", {},
    !select && known.length > 1 ? h("h3", {}, row.model) : null,
    meaning(row, jb.tasks.get(row.task), many, grid))));
  slider.oninput = () => answer(known);
  if (select) select.onchange = () => answer(known);
}
