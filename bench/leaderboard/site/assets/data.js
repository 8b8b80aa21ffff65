"use strict";
// The data of the site. Pages on a disk may load only scripts: each data file calls a function of `jb`.

const jb = (() => {
  const tasks = new Map();
  const details = new Map();
  const figures = new Map();
  const loading = new Map();
  let shared = null;

  // A row is an array in the order of `fields`; returns an object with those names.
  function decode(task, row) {
    const decoded = { task: task.id };
    shared.fields.forEach((name, index) => { decoded[name] = row[index]; });
    return decoded;
  }

  function load(path) {
    if (!loading.has(path)) {
      loading.set(path, new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = path;
        script.onload = () => { script.remove(); done(); };
        script.onerror = () => failed(new Error(`${path} cannot be loaded`));
        document.head.append(script);
      }));
    }
    return loading.get(path);
  }

  function board(content) {
    shared = content;
    for (const task of content.tasks) {
      const rows = new Map();
      tasks.set(task.id, { ...task, rows });
      for (const row of task.first) addRow(task.id, row);
    }
  }

  function addRow(id, row) {
    const task = tasks.get(id);
    const decoded = decode(task, row);
    task.rows.set(decoded.id, decoded);
  }

  // The names of the files with the rows of a task that are not in board.js.
  function files(task) {
    if (task.rows_by === null) return [];
    const starts = [...Array(16 ** task.rows_by).keys()].map((n) => n.toString(16));
    const names = task.rows_by ? starts.map((s) => s.padStart(task.rows_by, "0")) : ["all"];
    return names.map((name) => `data/${task.id}/rows-${name}.js`);
  }

  // Load all rows of these tasks; `onProgress` is called after each file.
  async function loadRows(ids, onProgress) {
    for (const id of ids) {
      for (const path of files(tasks.get(id))) {
        if (loading.has(path)) { await load(path); continue; }
        await load(path).catch(() => undefined); // No file where no id begins with these digits.
        onProgress();
      }
    }
  }

  const start = (id, digits) => id.slice(0, digits) || "all";

  // One result: its row and its details, or null if the board has none of this name.
  async function loadResult(name) {
    const [id, result] = name.split("/");
    const task = tasks.get(id);
    if (!task || !/^[0-9a-f]{16}$/.test(result || "") || task.details_by === null) return null;
    await load(`data/${id}/details-${start(result, task.details_by)}.js`).catch(() => undefined);
    if (!task.rows.has(result) && task.rows_by !== null) {
      await load(`data/${id}/rows-${start(result, task.rows_by)}.js`).catch(() => undefined);
    }
    const row = task.rows.get(result);
    const detail = details.get(name);
    return row && detail ? { row, details: detail, task } : null;
  }

  return {
    board,
    rows: (id, rows) => { for (const row of rows) addRow(id, row); },
    details: (id, results) => { for (const [result, detail] of Object.entries(results)) details.set(`${id}/${result}`, detail); },
    published: (id, rows) => figures.set(id, rows),
    get shared() { return shared; },
    tasks, loadRows, loadResult,
    async publishedFigures(id) {
      await load(`data/${id}/published.js`).catch(() => undefined);
      return figures.get(id) || [];
    },
  };
})();
