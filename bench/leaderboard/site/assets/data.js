"use strict";
// The data of the site. A page on a disk may load scripts only: each hands its part over to `jb`.

const jb = (() => {
  const tasks = new Map();
  const runs = new Map();
  const others = new Map();
  const loading = new Map();
  const known = { board: null };

  // A row is an array in the order of `fields`; here it becomes an object with those names.
  function decode(task, row) {
    const found = { task: task.id };
    known.board.fields.forEach((name, place) => { found[name] = row[place]; });
    return found;
  }

  function load(path) {
    if (!loading.has(path)) {
      loading.set(path, new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = path;
        script.onload = () => { script.remove(); done(); };
        script.onerror = () => failed(new Error(`${path} can't be loaded`));
        document.head.append(script);
      }));
    }
    return loading.get(path);
  }

  function board(content) {
    known.board = content;
    for (const task of content.tasks) {
      const rows = new Map();
      tasks.set(task.id, { ...task, rows });
      for (const row of task.first) keep(task.id, row);
    }
  }

  function keep(id, row) {
    const task = tasks.get(id);
    const found = decode(task, row);
    task.rows.set(found.id, found);
  }

  // The names of the files that hold the rows of a task beyond the first.
  function files(task) {
    if (task.rowsBy === null) return [];
    const starts = [...Array(16 ** task.rowsBy).keys()].map((n) => n.toString(16));
    const names = task.rowsBy ? starts.map((s) => s.padStart(task.rowsBy, "0")) : ["all"];
    return names.map((name) => `data/${task.id}/rows-${name}.js`);
  }

  // Load all rows of these tasks, and say after each file how far it is.
  async function all(ids, tell) {
    for (const id of ids) {
      for (const path of files(tasks.get(id))) {
        if (loading.has(path)) { await load(path); continue; }
        await load(path).catch(() => undefined); // No id of this task may begin so.
        tell();
      }
    }
  }

  const start = (id, digits) => id.slice(0, digits) || "all";

  // One result: its row and its detail, or null if the board has none of this name.
  async function one(name) {
    const [id, run] = name.split("/");
    const task = tasks.get(id);
    if (!task || !/^[0-9a-f]{16}$/.test(run || "") || task.runsBy === null) return null;
    await load(`data/${id}/runs-${start(run, task.runsBy)}.js`).catch(() => undefined);
    if (!task.rows.has(run) && task.rowsBy !== null) {
      await load(`data/${id}/rows-${start(run, task.rowsBy)}.js`).catch(() => undefined);
    }
    const row = task.rows.get(run);
    const detail = runs.get(name);
    return row && detail ? { row, detail, task } : null;
  }

  return {
    board,
    rows: (id, rows) => { for (const row of rows) keep(id, row); },
    runs: (id, found) => { for (const [run, detail] of Object.entries(found)) runs.set(`${id}/${run}`, detail); },
    published: (id, rows) => others.set(id, rows),
    get shared() { return known.board; },
    tasks, all, one,
    async others(id) {
      await load(`data/${id}/published.js`).catch(() => undefined);
      return others.get(id) || [];
    },
  };
})();
