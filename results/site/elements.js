"use strict";
// Elements that several pages share. Submitted text enters a page only through `h`, as text.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : format.printable(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : format.printable(child));
  }
  return element;
}

const h = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => build(document.createElementNS(SVG, tag), attributes, children);
const $ = (id) => document.getElementById(id);

// The state of a page is in the fragment of its URL, which also works for files on a disk.
const state = {
  read() {
    const text = location.hash.slice(1);
    return new URLSearchParams(text.includes("=") ? text.slice(text.indexOf("?") + 1) : "");
  },
  write(values, name = "") {
    const filled = Object.entries(values).filter(([, value]) => value);
    const query = new URLSearchParams(filled).toString();
    const fragment = name && query ? `${name}?${query}` : name || query;
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  },
  name: () => location.hash.slice(1).split("?")[0],
};

const resultUrl = (row, page = "result") => `${page}.html#${row.task}/${row.id}`;

function figure([value, low, high], unit = "") {
  if (value === format.MISSING) return [h("span", { class: "value" }, value)];
  const suffix = unit && h("span", { class: "suffix" }, ` ${unit}`);
  return [h("span", { class: "value" }, value, suffix), h("span", { class: "range" }, `${low}–${high}`)];
}

// The relative uncertainty of a modelled energy, which limits the digits that are shown.
const modelError = (row) => (row.kind === "modelled" ? row.calibration : null);

// Half-width of [value, low, high] on the logarithm.
const logHalfWidth = ([value, low, high]) => (low > 0 ? Math.log(high / low) / 2 : (high - low) / 2 / value);

// Value, low and high end of an energy with calibration uncertainty.
const withCalibration = (row) => format.calibrated(row.energy, row.calibration ?? 0.05);

const scaled = (ends, factor) => ends.map((end) => end * factor);
const phoneCharges = (row) => scaled(withCalibration(row), 1 / jb.shared.charge.value);

const regions = {
  all: () => jb.shared.grids.map(([key, label, grams, year, basis]) => ({ key, label, grams, year, basis })),
  find: (key) => regions.all().find((grid) => grid.key === key) || regions.all().find((grid) => grid.key === "world"),
  // Fill a <select>; each basis is a group of its own, because bases are not to be compared.
  fill(select, selected) {
    const bases = Map.groupBy ? Map.groupBy(regions.all(), (grid) => grid.basis) : groupByBasis(regions.all());
    for (const [basis, grids] of bases) {
      const options = grids.map((grid) => h("option", { value: grid.key, selected: grid.key === selected }, grid.label));
      select.append(h("optgroup", { label: basis }, options));
    }
  },
};

function groupByBasis(grids) {
  const groups = new Map();
  for (const grid of grids) groups.set(grid.basis, [...(groups.get(grid.basis) || []), grid]);
  return groups;
}

const BADGES = { "energy-absent": "no energy", "no-fingerprint": "no fingerprint" };

function badges(row) {
  const labels = [];
  if (row.kind === "modelled") labels.push("modelled");
  if (row.weights === "random") labels.push("random weights");
  if (row.profile === "quick") labels.push("quick");
  if (row.status !== "done") labels.push(row.status);
  labels.push(...row.blocking_codes.map((code) => BADGES[code] || code));
  const notCounted = { class: "badge", title: "idle power and memory not counted" };
  return labels.map((text) => h("span", text === "modelled" ? notCounted : { class: "badge quiet" }, text));
}

function runLabelParts(row) {
  const batch = row.batch_size === null ? null : `batch ${row.batch_size}`;
  const steps = row.steps === null ? null : `${row.steps} step${row.steps === 1 ? "" : "s"}`;
  return [row.dtype, row.backend, batch, steps].filter(Boolean);
}

const starSymbols = (stars) => `${"★".repeat(stars)}${"☆".repeat(5 - stars)}`;

// The rank, a range where other results tie; a dash where a result is listed without rank.
function rankText(row) {
  if (row.rank === null) return h("span", { class: "unranked", title: "listed without rank" }, "—");
  if (row.rank === row.last_rank) return String(row.rank);
  const tie = "ties with another result: the interval of their ratio, widened for the number of pairs, contains 1";
  return h("span", { class: "tie", title: tie }, `${row.rank}–${row.last_rank}`);
}

function quality(row) {
  if (!row.quality) return [format.MISSING];
  const better = row.quality_better === "lower" ? " (lower is better)" : "";
  return [figure(row.quality.map(format.percent)), h("span", { class: "metric" }, row.quality_metric + better)];
}

// A logarithmic axis that all rows of a task share; positions are in percent of its width.
function logAxis(task) {
  if (!task.energy) return { position: () => 0, ticks: [] };
  const [least, most, middle] = task.energy;
  const [, scale] = format.energyUnit(middle);
  const centre = Math.log10(least * most) / 2;
  const reach = Math.max(Math.log10(most / least) / 2, 0.25);
  const [from, width] = [centre - 1.12 * reach, 2.24 * reach];
  const position = (kwh) => (kwh <= 0 ? 0 : Math.round(1e4 * Math.min(1, Math.max(0, (Math.log10(kwh) - from) / width))) / 100);
  const ticks = [];
  for (let decade = Math.floor(from); decade <= from + width + 1; decade += 1) {
    for (const step of width > 1.5 ? [1] : [1, 2, 5]) {
      const mark = step * 10 ** decade;
      const share = (Math.log10(mark) - from) / width;
      const label = format.number(mark / scale, 1);
      // About 15 characters fit in the width of the column.
      const space = ticks.length ? share - ticks[ticks.length - 1].x / 100 : 1;
      if (share > 0.08 && share < 0.92 && space > label.length * 0.065) ticks.push({ x: position(mark), label });
    }
  }
  return { position, ticks };
}

function intervalBar(row, axis) {
  if (!row.energy) return null;
  const { position, ticks } = axis;
  const [value, low, high] = row.energy;
  const [, least, most] = withCalibration(row);
  const line = (name, from, to) => svg("line", { class: name, x1: `${position(from)}%`, x2: `${position(to)}%`, y1: "50%", y2: "50%" });
  return svg("svg", { "aria-hidden": "true" },
    ticks.map((tick) => svg("line", { class: "tick", x1: `${tick.x}%`, x2: `${tick.x}%`, y1: "0", y2: "100%" })),
    line("calibration", least, most), line("bar", low, high),
    svg("circle", { class: "dot", cx: `${position(value)}%`, cy: "50%", r: 4 }));
}

const axisLabels = (axis) => svg("svg", { class: "axis", "aria-hidden": "true" },
  axis.ticks.map((tick) => svg("text", { x: `${tick.x}%`, y: 16, "text-anchor": "middle" }, tick.label)));
