"use strict";
// The table of results: search, filters, sorting, pages; the address keeps what was chosen.

const PAGE = 50;
const SIZES = { "under 100 M": [0, 1e8], "100 M to 1 B": [1e8, 1e9], "1 B to 10 B": [1e9, 1e10], "over 10 B": [1e10, Infinity] };
const LONGEST = 200;
const NAMES = ["task", "device", "size", "kind", "weights", "dtype", "batch"];
const form = $("filters");
const body = $("rows");
const collator = new Intl.Collator("en", { numeric: true });
const only = document.body.dataset.task || null;
const asked = { q: "", sort: "", page: "", region: "", pick: "" };
const axes = new Map();

const VALUES = {
  task: (row) => row.task,
  device: (row) => row.device,
  kind: (row) => row.kind,
  weights: (row) => row.weights,
  dtype: (row) => row.dtype,
  batch: (row) => (row.batch === null ? null : String(row.batch)),
  size: (row) => Object.keys(SIZES).find((name) => row.parameters !== null && row.parameters >= SIZES[name][0] && row.parameters < SIZES[name][1]) || null,
};

const first = (ends) => (ends ? ends[0] : null);
const KEYS = {
  rank: (row) => row.rank,
  grade: (row) => (row.grade === null ? null : row.grade.length * 100 + row.grade.charCodeAt(row.grade.length - 1)),
  model: (row) => row.model,
  energy: (row) => first(row.energy),
  net: (row) => first(row.net),
  joules: (row) => first(row.joules),
  quality: (row) => first(row.quality),
  seconds: (row) => first(row.seconds),
  charges: (row) => first(row.energy),
  grams: (row) => first(row.energy),
};

const listed = () => (only ? [jb.tasks.get(only)] : [...jb.tasks.values()]);
const text = (row) => (row.text ??= words.visible([row.model, row.task, row.device, row.by, ...madeOf(row)].join(" ")).toLowerCase());
const place = (row) => (row.group === null ? Infinity : row.group);

function fits(row) {
  return NAMES.every((name) => !form.elements[name]?.value || VALUES[name](row) === form.elements[name].value)
    && (!asked.q || text(row).includes(asked.q.toLowerCase()));
}

function compare(a, b) {
  const key = KEYS[asked.sort.replace("-", "")];
  if (key) {
    const [x, y] = [key(a), key(b)];
    if (x !== y) {
      if (x === null) return 1;
      if (y === null) return -1;
      const turned = asked.sort.startsWith("-") ? -1 : 1;
      return turned * (typeof x === "number" ? x - y : collator.compare(x, y));
    }
  }
  return (a.task < b.task ? -1 : a.task > b.task ? 1 : 0) || a.n - b.n;
}

function chosen() {
  const found = [];
  for (const task of listed()) for (const row of task.rows.values()) if (fits(row)) found.push(row);
  return found.sort(compare);
}

function render() {
  const rows = chosen();
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(Math.max(1, Number(asked.page) || 1), pages);
  const part = rows.slice((page - 1) * PAGE, page * PAGE);
  body.replaceChildren();
  let last = null;
  for (const row of part) {
    const group = `${row.task} ${place(row)}`;
    if (!asked.sort && group !== last) body.append(heading(row));
    last = group;
    body.append(line(row));
  }
  if (!part.length) body.append(h("tr", { role: "row" }, h("td", { role: "cell", class: "none", colspan: 11 }, empty())));
  $("shown").value = words.plural(rows.length, "result");
  $("page").textContent = `Page ${page.toLocaleString("en-US")} of ${pages.toLocaleString("en-US")}`;
  $("earlier").disabled = page <= 1;
  $("later").disabled = page >= pages;
  $("pages").hidden = pages === 1;
  for (const header of document.querySelectorAll("th[data-key]")) {
    const own = header.dataset.key === asked.sort.replace("-", "");
    if (own) header.setAttribute("aria-sort", asked.sort.startsWith("-") ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  }
  mean(part);
}

const empty = () => (listed().some((task) => task.count) ? "Nothing fits this choice." : "Nobody has submitted a result of this yet.");

function heading(row) {
  const task = jb.tasks.get(row.task);
  const name = only ? null : h("a", { href: `task-${task.id}.html` }, task.id);
  const [boundary, devices, dataset, count] = task.groups[row.group] || [];
  const what = row.group === null
    ? "Listed without rank"
    : `${devices.join(", ")} · ${boundary} · ${dataset} data · ${words.plural(count, "result")} ranked`;
  const found = axes.get(task.id);
  return h("tr", { role: "row", class: "heading" },
    h("th", { role: "rowheader", scope: "rowgroup", colspan: 3 }, name, name && " ", h("span", { class: "where" }, what)),
    h("td", { role: "cell", class: "strip" }, found.ticks.length ? marks(found) : null),
    h("td", { role: "cell", colspan: 7 }));
}

function line(row) {
  const task = jb.tasks.get(row.task);
  const [unit, scale] = words.energyUnit(task.energy ? task.energy[2] : 1);
  const [timeUnit, timeScale] = words.timeUnit(row.seconds ? row.seconds[0] : 1);
  const grid = regions.find(asked.region);
  const cell = (label, kind, ...children) => h("td", { role: "cell", class: kind, "data-label": label }, ...children);
  const per = words.unit(task.unit);
  const model = [
    h("a", { class: "name", href: address(row) }, row.model || "(no name)"), badges(row),
    h("span", { class: "made" }, `${words.count(row.parameters)} parameters`, madeOf(row).map((part) => [" · ", h("span", { class: "part" }, part)])),
    (asked.sort || row.rank === null) && h("span", { class: "where" }, `${only || !asked.sort ? "" : `${row.task} · `}${row.boundary}, ${row.device} · ${row.dataset} data`),
    row.why && h("span", { class: "why" }, row.why),
  ];
  return h("tr", { role: "row", class: row.kind, "data-id": `${row.task}/${row.id}` },
    cell("Rank", "rank", rank(row)),
    h("th", { role: "rowheader", scope: "row", class: "model" }, model),
    cell("Energy per 1,000", "num energy", figure(words.gross(row.energy, scale, error(row)), unit)),
    cell("", "strip", strip(row, axes.get(task.id))),
    cell("Net of idle per 1,000", "num", figure(words.span(row.net, scale, error(row)), unit)),
    cell(`J per ${per}`, "num", figure(words.gross(row.joules, 1, error(row)), "J"), h("span", { class: "metric" }, `per ${per}`)),
    cell("Quality, %", "num", quality(row)),
    cell("Time per inference", "num", figure(words.gross(row.seconds, timeScale), timeUnit)),
    cell("Phone charges per 1,000", "num", row.energy ? figure(words.rough(charges(row))) : words.MISSING),
    cell(`g CO₂e per 1,000, ${grid.label}`, "num", row.energy ? figure(words.rough(times(whole(row), grid.grams))) : words.MISSING),
    cell("Grade", "grade", row.grade ? [h("span", { class: "letter" }, row.grade), h("span", { class: "stars", role: "img", "aria-label": `${row.stars} of 5 stars` }, starsText(row.stars))] : "—"),
    h("td", { role: "cell", class: "pick" }, picker(row)));
}

function picker(row) {
  const name = `${row.task}/${row.id}`;
  const picked = asked.pick.split(",").includes(name);
  return h("label", {}, h("input", { type: "checkbox", checked: picked, onchange: (event) => pick(name, event.target.checked) }),
    h("span", { class: "hidden-visually" }, `compare ${row.model}`));
}

function pick(name, on) {
  const names = asked.pick.split(",").filter((other) => other && other !== name);
  asked.pick = [...names, ...(on ? [name] : [])].join(",");
  tray();
  save();
}

function tray() {
  const names = asked.pick.split(",").filter(Boolean);
  $("tray").hidden = names.length === 0;
  $("picked").textContent = names.length === 1 ? "1 result chosen: choose another to compare" : `${names.length} results chosen`;
  $("compare").hidden = names.length < 2;
  $("compare").href = `compare.html#${names.join(",")}`;
}

function fill() {
  const all = listed().flatMap((task) => [...task.rows.values()]);
  for (const name of NAMES) {
    const select = form.elements[name];
    if (!select) continue;
    const counts = new Map();
    for (const row of all) { const value = VALUES[name](row); if (value !== null) counts.set(value, (counts.get(value) || 0) + 1); }
    const order = name === "size" ? Object.keys(SIZES).filter((size) => counts.has(size)) : [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, LONGEST).sort(collator.compare);
    const value = select.value || state.read().get(name) || "";
    if (value && !order.includes(value)) order.push(value);
    select.replaceChildren(h("option", { value: "" }, "all"), ...order.map((choice) => h("option", { value: choice }, choice)));
    for (const option of select.options) option.selected = option.value === value;
    select.closest("label").hidden = order.length < 2 && !value && name !== "task" && name !== "kind";
  }
}

function save() {
  const values = Object.fromEntries(NAMES.map((name) => [name, form.elements[name]?.value]));
  state.write({ ...values, ...asked });
}

function restore() {
  const found = state.read();
  for (const name of Object.keys(asked)) asked[name] = found.get(name) || "";
  for (const name of NAMES) if (form.elements[name]) form.elements[name].value = "";
  form.elements.q.value = asked.q;
  form.elements.region.value = regions.find(asked.region).key;
  fill();
  tray();
  about();
  render();
}

function about() {
  const grid = regions.find(asked.region);
  $("region-name").textContent = `${grid.label}, ${grid.year}, ${grid.basis}`;
}

function changed(event) {
  asked.q = form.elements.q.value.trim();
  asked.region = form.elements.region.value === "world" ? "" : form.elements.region.value;
  if (event?.target?.name !== "region") asked.page = "";
  about();
  save();
  render();
}

function sort(header) {
  const key = header.dataset.key;
  asked.sort = asked.sort === key ? `-${key}` : asked.sort === `-${key}` ? "" : key;
  asked.page = "";
  save();
  render();
}

function turn(by) {
  asked.page = String((Number(asked.page) || 1) + by);
  save();
  render();
  $("board").scrollIntoView();
  $("page").focus({ preventScroll: true });
}

async function start() {
  for (const task of jb.tasks.values()) axes.set(task.id, axis(task));
  regions.fill(form.elements.region, "world");
  form.hidden = false;
  restore();
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const header of document.querySelectorAll("th[data-key] button")) header.addEventListener("click", () => sort(header.closest("th")));
  $("earlier").addEventListener("click", () => turn(-1));
  $("later").addEventListener("click", () => turn(1));
  window.addEventListener("hashchange", () => { if (location.hash.includes("=") || !location.hash) restore(); });
  const count = listed().reduce((sum, task) => sum + task.count, 0);
  await jb.all(listed().map((task) => task.id), () => {
    const here = listed().reduce((sum, task) => sum + task.rows.size, 0);
    $("loading").textContent = here < count ? `${here.toLocaleString("en-US")} of ${count.toLocaleString("en-US")} results read` : "";
  });
  $("loading").textContent = "";
  fill();
  render();
  document.body.dataset.ready = "yes";
}

start();
