"use strict";
// The table of results: search, filters, sorting, pages; the URL keeps the selection.

const PAGE = 50;
const SIZES = { "under 100 M": [0, 1e8], "100 M to 1 B": [1e8, 1e9], "1 B to 10 B": [1e9, 1e10], "over 10 B": [1e10, Infinity] };
const MAX_OPTIONS = 200;
const FILTERS = ["task", "device", "size", "kind", "weights", "dtype", "batch"];
const form = $("filters");
const body = $("rows");
const collator = new Intl.Collator("en", { numeric: true });
const pageTask = document.body.dataset.task || null;
const query = { q: "", sort: "", page: "", region: "", pick: "" };
const axes = new Map();

const FILTER_VALUES = {
  task: (row) => row.task,
  device: (row) => row.device,
  kind: (row) => row.kind,
  weights: (row) => row.weights,
  dtype: (row) => row.dtype,
  batch: (row) => (row.batch_size === null ? null : String(row.batch_size)),
  size: (row) => Object.keys(SIZES).find((name) => row.parameter_count !== null && row.parameter_count >= SIZES[name][0] && row.parameter_count < SIZES[name][1]) || null,
};

const first = (ends) => (ends ? ends[0] : null);
const SORT_KEYS = {
  rank: (row) => row.rank,
  grade: (row) => (row.grade === null ? null : row.grade.length * 100 + row.grade.charCodeAt(row.grade.length - 1)),
  model: (row) => row.model,
  energy: (row) => first(row.energy),
  net: (row) => first(row.net_energy),
  joules: (row) => first(row.energy_per_unit),
  quality: (row) => first(row.quality),
  seconds: (row) => first(row.duration),
  charges: (row) => first(row.energy),
  grams: (row) => first(row.energy),
};

const shownTasks = () => (pageTask ? [jb.tasks.get(pageTask)] : [...jb.tasks.values()]);
const searchText = (row) => (row.text ??= format.printable([row.model, row.task, row.device, row.submitter, ...runLabelParts(row)].join(" ")).toLowerCase());
const groupNumber = (row) => (row.group === null ? Infinity : row.group);

function matches(row) {
  return FILTERS.every((name) => !form.elements[name]?.value || FILTER_VALUES[name](row) === form.elements[name].value)
    && (!query.q || searchText(row).includes(query.q.toLowerCase()));
}

function compareRows(a, b) {
  const key = SORT_KEYS[query.sort.replace("-", "")];
  if (key) {
    const [x, y] = [key(a), key(b)];
    if (x !== y) {
      if (x === null) return 1;
      if (y === null) return -1;
      const direction = query.sort.startsWith("-") ? -1 : 1;
      return direction * (typeof x === "number" ? x - y : collator.compare(x, y));
    }
  }
  return (a.task < b.task ? -1 : a.task > b.task ? 1 : 0) || a.number - b.number;
}

function filteredRows() {
  const rows = [];
  for (const task of shownTasks()) for (const row of task.rows.values()) if (matches(row)) rows.push(row);
  return rows.sort(compareRows);
}

function render() {
  const rows = filteredRows();
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(Math.max(1, Number(query.page) || 1), pages);
  const part = rows.slice((page - 1) * PAGE, page * PAGE);
  body.replaceChildren();
  let last = null;
  for (const row of part) {
    const group = `${row.task} ${groupNumber(row)}`;
    if (!query.sort && group !== last) body.append(headingElement(row));
    last = group;
    body.append(rowElement(row));
  }
  if (!part.length) body.append(h("tr", { role: "row" }, h("td", { role: "cell", class: "none", colspan: 11 }, emptyText())));
  $("shown").value = format.plural(rows.length, "result");
  $("page").textContent = `Page ${page.toLocaleString("en-US")} of ${pages.toLocaleString("en-US")}`;
  $("earlier").disabled = page <= 1;
  $("later").disabled = page >= pages;
  $("pages").hidden = pages === 1;
  for (const header of document.querySelectorAll("th[data-key]")) {
    const isSorted = header.dataset.key === query.sort.replace("-", "");
    if (isSorted) header.setAttribute("aria-sort", query.sort.startsWith("-") ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  }
  showEquivalents(part);
}

const emptyText = () => (shownTasks().some((task) => task.count) ? "No result matches these filters." : "No results were submitted yet.");

function headingElement(row) {
  const task = jb.tasks.get(row.task);
  const name = pageTask ? null : h("a", { href: `task-${task.id}.html` }, task.id);
  const [boundary, devices, dataset, count] = task.groups[row.group] || [];
  const title = row.group === null
    ? "Listed without rank"
    : `${devices.join(", ")} · ${boundary} · ${dataset} data · ${format.plural(count, "result")} ranked`;
  const axis = axes.get(task.id);
  return h("tr", { role: "row", class: "heading" },
    h("th", { role: "rowheader", scope: "rowgroup", colspan: 3 }, name, name && " ", h("span", { class: "where" }, title)),
    h("td", { role: "cell", class: "strip" }, axis.ticks.length ? axisLabels(axis) : null),
    h("td", { role: "cell", colspan: 7 }));
}

function rowElement(row) {
  const task = jb.tasks.get(row.task);
  const [unit, scale] = format.energyUnit(task.energy ? task.energy[2] : 1);
  const [timeUnit, timeScale] = format.timeUnit(row.duration ? row.duration[0] : 1);
  const grid = regions.find(query.region);
  const cell = (label, kind, ...children) => h("td", { role: "cell", class: kind, "data-label": label }, ...children);
  const per = format.unitLabel(task.unit);
  const model = [
    h("a", { class: "name", href: resultUrl(row) }, row.model || "(no name)"), badges(row),
    h("span", { class: "run-label" }, `${format.count(row.parameter_count)} parameters`, runLabelParts(row).map((part) => [" · ", h("span", { class: "part" }, part)])),
    (query.sort || row.rank === null) && h("span", { class: "where" }, `${pageTask || !query.sort ? "" : `${row.task} · `}${row.boundary}, ${row.device} · ${row.dataset} data`),
    row.failure && h("span", { class: "why" }, row.failure),
  ];
  return h("tr", { role: "row", class: row.kind, "data-id": `${row.task}/${row.id}` },
    cell("Rank", "rank", rankText(row)),
    h("th", { role: "rowheader", scope: "row", class: "model" }, model),
    cell("Energy per 1,000", "num energy", figure(format.nonnegative(row.energy, scale, modelError(row)), unit)),
    cell("", "strip", intervalBar(row, axes.get(task.id))),
    cell("Net of idle per 1,000", "num", figure(format.interval(row.net_energy, scale, modelError(row)), unit)),
    cell(`J per ${per}`, "num", figure(format.nonnegative(row.energy_per_unit, 1, modelError(row)), "J"), h("span", { class: "metric" }, `per ${per}`)),
    cell("Quality, %", "num", quality(row)),
    cell("Time per inference", "num", figure(format.nonnegative(row.duration, timeScale), timeUnit)),
    cell("Phone charges per 1,000", "num", row.energy ? figure(format.rough(phoneCharges(row))) : format.MISSING),
    cell(`g CO₂e per 1,000, ${grid.label}`, "num", row.energy ? figure(format.rough(scaled(withCalibration(row), grid.grams))) : format.MISSING),
    cell("Grade", "grade", row.grade ? [h("span", { class: "letter" }, row.grade), h("span", { class: "stars", role: "img", "aria-label": `${row.stars} of 5 stars` }, starSymbols(row.stars))] : "—"),
    h("td", { role: "cell", class: "pick" }, compareBox(row)));
}

function compareBox(row) {
  const name = `${row.task}/${row.id}`;
  const checked = query.pick.split(",").includes(name);
  return h("label", {}, h("input", { type: "checkbox", checked, onchange: (event) => selectForComparison(name, event.target.checked) }),
    h("span", { class: "hidden-visually" }, `compare ${row.model}`));
}

function selectForComparison(name, on) {
  const names = query.pick.split(",").filter((other) => other && other !== name);
  query.pick = [...names, ...(on ? [name] : [])].join(",");
  showSelection();
  save();
}

function showSelection() {
  const names = query.pick.split(",").filter(Boolean);
  $("selection").hidden = names.length === 0;
  $("selected-count").textContent = names.length === 1 ? "1 result selected: select another to compare" : `${names.length} results selected`;
  $("compare").hidden = names.length < 2;
  $("compare").href = `compare.html#${names.join(",")}`;
}

function fillFilters() {
  const all = shownTasks().flatMap((task) => [...task.rows.values()]);
  for (const name of FILTERS) {
    const select = form.elements[name];
    if (!select) continue;
    const counts = new Map();
    for (const row of all) { const value = FILTER_VALUES[name](row); if (value !== null) counts.set(value, (counts.get(value) || 0) + 1); }
    const choices = name === "size" ? Object.keys(SIZES).filter((size) => counts.has(size)) : [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, MAX_OPTIONS).sort(collator.compare);
    const value = select.value || state.read().get(name) || "";
    if (value && !choices.includes(value)) choices.push(value);
    select.replaceChildren(h("option", { value: "" }, "all"), ...choices.map((choice) => h("option", { value: choice }, choice)));
    for (const option of select.options) option.selected = option.value === value;
    select.closest("label").hidden = choices.length < 2 && !value && name !== "task" && name !== "kind";
  }
}

function save() {
  const values = Object.fromEntries(FILTERS.map((name) => [name, form.elements[name]?.value]));
  state.write({ ...values, ...query });
}

function restore() {
  const values = state.read();
  for (const name of Object.keys(query)) query[name] = values.get(name) || "";
  for (const name of FILTERS) if (form.elements[name]) form.elements[name].value = "";
  form.elements.q.value = query.q;
  form.elements.region.value = regions.find(query.region).key;
  fillFilters();
  showSelection();
  showRegion();
  render();
}

function showRegion() {
  const grid = regions.find(query.region);
  $("region-name").textContent = `${grid.label}, ${grid.year}, ${grid.basis}`;
}

function onFilterChange(event) {
  query.q = form.elements.q.value.trim();
  query.region = form.elements.region.value === "world" ? "" : form.elements.region.value;
  if (event?.target?.name !== "region") query.page = "";
  showRegion();
  save();
  render();
}

function sortBy(header) {
  const key = header.dataset.key;
  query.sort = query.sort === key ? `-${key}` : query.sort === `-${key}` ? "" : key;
  query.page = "";
  save();
  render();
}

function changePage(by) {
  query.page = String((Number(query.page) || 1) + by);
  save();
  render();
  $("board").scrollIntoView();
  $("page").focus({ preventScroll: true });
}

async function start() {
  for (const task of jb.tasks.values()) axes.set(task.id, logAxis(task));
  regions.fill(form.elements.region, "world");
  form.hidden = false;
  restore();
  form.addEventListener("input", onFilterChange);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const header of document.querySelectorAll("th[data-key] button")) header.addEventListener("click", () => sortBy(header.closest("th")));
  $("earlier").addEventListener("click", () => changePage(-1));
  $("later").addEventListener("click", () => changePage(1));
  window.addEventListener("hashchange", () => { if (location.hash.includes("=") || !location.hash) restore(); });
  const count = shownTasks().reduce((sum, task) => sum + task.count, 0);
  await jb.loadRows(shownTasks().map((task) => task.id), () => {
    const loaded = shownTasks().reduce((sum, task) => sum + task.rows.size, 0);
    $("loading").textContent = loaded < count ? `${loaded.toLocaleString("en-US")} of ${count.toLocaleString("en-US")} results read` : "";
  });
  $("loading").textContent = "";
  fillFilters();
  render();
  document.body.dataset.ready = "yes";
}

start();
