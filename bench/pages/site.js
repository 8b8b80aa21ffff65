"use strict";
// Sorting and filtering of the tables that are already on the page; without it the page still reads.

const form = document.getElementById("filters");
const collator = new Intl.Collator("en", { numeric: true });

function compare(a, b) {
  if (a === b) return 0;
  if (a === "") return 1;
  if (b === "") return -1;
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? collator.compare(a, b) : difference;
}

function sort(header) {
  const table = header.closest("table");
  const descending = header.getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const key = header.dataset.key;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [a.dataset[key], b.dataset[key]];
    return (descending && x !== "" && y !== "" ? -1 : 1) * compare(x, y);
  });
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  body.append(...rows);
}

function filter() {
  const task = form.elements.task.value;
  const wanted = ["kind", "dtype", "batch"]
    .map((name) => [name, form.elements[name]?.value])
    .filter(([, value]) => value);
  const text = form.elements.text.value.trim().toLowerCase();
  let shown = 0;
  for (const section of document.querySelectorAll("section.task")) {
    const fits = !task || section.dataset.task === task;
    for (const group of section.querySelectorAll("section.group")) {
      let inside = 0;
      for (const row of group.querySelectorAll("tbody tr")) {
        const equal = wanted.every(([name, value]) => row.dataset[name] === value);
        row.hidden = !fits || !equal || !row.dataset.text.includes(text);
        inside += row.hidden ? 0 : 1;
      }
      group.hidden = inside === 0;
      shown += inside;
    }
    section.hidden = !section.querySelector("section.group:not([hidden])");
  }
  document.getElementById("shown").value = shown === 1 ? "1 result" : `${shown} results`;
}

for (const header of document.querySelectorAll("table[data-sortable] th[data-key]")) {
  header.querySelector("button").addEventListener("click", () => sort(header));
}
if (form) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
