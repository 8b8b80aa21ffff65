"use strict";
// What several pages are made of. Text of strangers enters a page through `h` alone, as text.

const SVG = "http://www.w3.org/2000/svg";

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : words.visible(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : words.visible(child));
  }
  return element;
}

const h = (tag, attributes = {}, ...children) => make(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => make(document.createElementNS(SVG, tag), attributes, children);
const $ = (id) => document.getElementById(id);

// State lies behind the # of the address, which a page on a disk may change too.
const state = {
  read() {
    const text = location.hash.slice(1);
    return new URLSearchParams(text.includes("=") ? text.slice(text.indexOf("?") + 1) : "");
  },
  write(values, name = "") {
    const filled = Object.entries(values).filter(([, value]) => value);
    const query = new URLSearchParams(filled).toString();
    const mark = name && query ? `${name}?${query}` : name || query;
    history.replaceState(null, "", mark ? `#${mark}` : location.pathname + location.search);
  },
  name: () => location.hash.slice(1).split("?")[0],
};

const address = (row, page = "result") => `${page}.html#${row.task}/${row.id}`;

function figure([value, low, high], unit = "") {
  if (value === words.MISSING) return [h("span", { class: "value" }, value)];
  const suffix = unit && h("span", { class: "suffix" }, ` ${unit}`);
  return [h("span", { class: "value" }, value, suffix), h("span", { class: "range" }, `${low}–${high}`)];
}

// What an energy is off by for its scale, where the page has to say so in its digits.
const error = (row) => (row.kind === "modelled" ? row.calibration : null);

// The ends of an energy with the scale error in it too, the two added in quadrature.
function whole(row) {
  const [value, low, high] = row.energy;
  const half = Math.hypot((high - low) / 2, (row.calibration ?? 0.05) * value);
  return [value, value - half, value + half];
}

const times = (ends, factor) => ends.map((end) => end * factor);
const charges = (row) => times(whole(row), 1 / jb.shared.charge.value);

const regions = {
  all: () => jb.shared.grids.map(([key, label, grams, year, basis]) => ({ key, label, grams, year, basis })),
  find: (key) => regions.all().find((grid) => grid.key === key) || regions.all().find((grid) => grid.key === "world"),
  // Fill a <select>; the two bases stand apart, for they are not to be compared.
  fill(select, chosen) {
    const bases = Map.groupBy ? Map.groupBy(regions.all(), (grid) => grid.basis) : grouped(regions.all());
    for (const [basis, grids] of bases) {
      const options = grids.map((grid) => h("option", { value: grid.key, selected: grid.key === chosen }, grid.label));
      select.append(h("optgroup", { label: basis }, options));
    }
  },
};

function grouped(grids) {
  const found = new Map();
  for (const grid of grids) found.set(grid.basis, [...(found.get(grid.basis) || []), grid]);
  return found;
}

const BADGES = { "energy-absent": "no energy", "no-fingerprint": "no fingerprint" };

function badges(row) {
  const found = [];
  if (row.kind === "modelled") found.push("modelled");
  if (row.weights === "random") found.push("random weights");
  if (row.profile === "quick") found.push("quick");
  if (row.status !== "done") found.push(row.status);
  found.push(...row.barred.map((code) => BADGES[code] || code));
  return found.map((text) => h("span", { class: text === "modelled" ? "badge" : "badge quiet" }, text));
}

function madeOf(row) {
  const batch = row.batch === null ? null : `batch ${row.batch}`;
  const steps = row.steps === null ? null : `${row.steps} step${row.steps === 1 ? "" : "s"}`;
  return [row.dtype, row.backend, batch, steps].filter(Boolean);
}

const starsText = (stars) => `${"★".repeat(stars)}${"☆".repeat(5 - stars)}`;

// Rank, with the mark of a tie; a dash where a result is listed without rank.
function rank(row) {
  if (row.rank === null) return h("span", { class: "norank", title: "listed without rank" }, "—");
  const tie = "ties with another result: the interval of their ratio holds 1";
  return [String(row.rank), row.tied && h("span", { class: "tie", title: tie }, "=", h("span", { class: "hidden-visually" }, " tied"))];
}

function quality(row) {
  if (!row.quality) return [words.MISSING];
  const better = row.better === "lower" ? " (lower is better)" : "";
  return [figure(row.quality.map(words.percent)), h("span", { class: "metric" }, row.metric + better)];
}

// A logarithmic axis that all rows of a task share; places are percentages.
function axis(task) {
  if (!task.energy) return { place: () => 0, ticks: [] };
  const [least, most, middle] = task.energy;
  const [, scale] = words.energyUnit(middle);
  const centre = Math.log10(least * most) / 2;
  const reach = Math.max(Math.log10(most / least) / 2, 0.25);
  const [from, width] = [centre - 1.12 * reach, 2.24 * reach];
  const place = (kwh) => (kwh <= 0 ? 0 : Math.round(1e4 * Math.min(1, Math.max(0, (Math.log10(kwh) - from) / width))) / 100);
  const ticks = [];
  for (let decade = Math.floor(from); decade <= from + width + 1; decade += 1) {
    for (const step of width > 1.5 ? [1] : [1, 2, 5]) {
      const mark = step * 10 ** decade;
      const share = (Math.log10(mark) - from) / width;
      const label = words.number(mark / scale, 1);
      // A label needs its room: about eight letters fit in the width of the column.
      const room = ticks.length ? share - ticks[ticks.length - 1].x / 100 : 1;
      if (share > 0.08 && share < 0.92 && room > label.length * 0.065) ticks.push({ x: place(mark), label });
    }
  }
  return { place, ticks };
}

function strip(row, found) {
  if (!row.energy) return null;
  const { place, ticks } = found;
  const [value, low, high] = row.energy;
  const [, least, most] = whole(row);
  const line = (name, from, to) => svg("line", { class: name, x1: `${place(from)}%`, x2: `${place(to)}%`, y1: "50%", y2: "50%" });
  return svg("svg", { "aria-hidden": "true" },
    ticks.map((tick) => svg("line", { class: "tick", x1: `${tick.x}%`, x2: `${tick.x}%`, y1: "0", y2: "100%" })),
    line("calibration", least, most), line("bar", low, high),
    svg("circle", { class: "dot", cx: `${place(value)}%`, cy: "50%", r: 4 }));
}

const marks = (found) => svg("svg", { class: "axis", "aria-hidden": "true" },
  found.ticks.map((tick) => svg("text", { x: `${tick.x}%`, y: 16, "text-anchor": "middle" }, tick.label)));
