// Sorting, filtering and the controls of the report; charts are drawn when they come into view.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- tables ---------------------------------------------------------------------------------
  function sortBy(table, head, direction) {
    const heads = $$("thead th", table);
    const column = heads.indexOf(head);
    heads.forEach((h) => h.setAttribute("aria-sort", h === head ? direction : "none"));
    const body = table.tBodies[0];
    const sign = direction === "ascending" ? 1 : -1;
    const key = (row) => row.cells[column].dataset.sort ?? "";
    const rows = [...body.rows].map((row, i) => [key(row), i, row]);
    const numeric = rows.every(([k]) => k === "" || k === "inf" || k === "-inf" || !Number.isNaN(Number(k)));
    const value = (k) => (k === "inf" ? Infinity : k === "-inf" ? -Infinity : Number(k));
    rows.sort(([a, i], [b, j]) => {
      if (a === "" || b === "") return (a === "") - (b === "") || i - j;
      if (!numeric) return sign * a.localeCompare(b, "en", { numeric: true }) || i - j;
      const [x, y] = [value(a), value(b)];
      return x === y ? i - j : sign * (x < y ? -1 : 1);
    });
    body.append(...rows.map(([, , row]) => row));
  }
  for (const table of $$("table.sortable")) {
    table.tHead.addEventListener("click", (event) => {
      const head = event.target.closest("button")?.closest("th");
      if (!head) return;
      const flipped = { ascending: "descending", descending: "ascending" };
      sortBy(table, head, flipped[head.getAttribute("aria-sort")] ?? head.dataset.first);
    });
  }
  const resort = (table) => {
    const head = $('th[aria-sort="ascending"], th[aria-sort="descending"]', table);
    if (head) sortBy(table, head, head.getAttribute("aria-sort"));
  };

  // -- the ranking over the selected workloads -------------------------------------------------
  const cellsOf = (row, name) => $$(`[data-col="${name}"]`, row);
  const fresh = new Map($$("#overall [data-col]").map((td) => [td, [td.dataset.sort, [...td.childNodes].map((n) => n.cloneNode(true))]]));
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  function median(values) {
    const sorted = values.toSorted((a, b) => (a === b ? 0 : a < b ? -1 : 1));
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
  function show(td, sort, text) {
    td.dataset.sort = sort === Infinity ? "inf" : sort;
    td.textContent = text;
  }
  function restore() {
    for (const [td, [sort, nodes]] of fresh) {
      td.dataset.sort = sort;
      td.replaceChildren(...nodes.map((n) => n.cloneNode(true)));
    }
  }
  function narrow(chosen) {
    const best = (w, of) => Object.values(DATA.workloads[w].rows).map(of);
    for (const row of $("#overall").tBodies[0].rows) {
      const label = row.dataset.label;
      const mine = chosen.filter((w) => label in DATA.workloads[w].rows).map((w) => [w, DATA.workloads[w].rows[label]]);
      const scored = mine.filter(([, r]) => r.score[0] !== null);
      const score = scored.length ? mean(scored.map(([, r]) => r.score[0])) : null;
      show(cellsOf(row, "score")[0], score ?? "", score === null ? "–" : score.toFixed(2));
      const wins = scored.filter(([w, r]) => r.score[0] >= Math.max(...best(w, (o) => o.score[0] ?? -1)) - 1e-12).length;
      show(cellsOf(row, "wins")[0], wins, `${wins} / ${mine.length}`);
      const [lost, runs, failed] = [0, 1, 2].map((i) => mine.reduce((sum, [, r]) => sum + r.lost[i], 0));
      show(cellsOf(row, "lost")[0], runs ? lost / runs : "", `${lost - failed} / ${runs}` + (failed ? ` failed ${failed} / ${runs}` : ""));
      ["updates", "examples", "epochs", "seconds"].forEach((axis, i) => {
        const least = (w) => Math.min(...best(w, (o) => o.time[axis] ?? Infinity));
        const open = mine.filter(([w]) => least(w) < Infinity);
        const ratios = open.map(([w, r]) => (r.time[axis] === null ? Infinity : r.time[axis] / least(w)));
        const solved = ratios.filter((r) => r < Infinity).length;
        const ratio = ratios.length ? median(ratios) : null;
        show(cellsOf(row, "solved")[i], open.length ? solved : "", open.length ? `${solved} / ${open.length}` : "–");
        show(cellsOf(row, "ratio")[i], ratio ?? "", ratio === null ? "–" : ratio === Infinity ? "never" : ratio.toPrecision(3));
      });
    }
  }

  // -- charts that are in view -----------------------------------------------------------------
  const ready = loadPlotly().catch(() => {
    for (const plot of $$("figure[data-chart] .plot")) plot.textContent = "This browser cannot unpack the charts; a newer one can.";
  });
  const stale = new Set();
  const inView = new Set();
  function drawNow(figure) {
    if (!window.Plotly || figure.hidden || !stale.delete(figure)) return;
    DRAWINGS[figure.dataset.chart](figure);
  }
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) inView.add(entry.target), drawNow(entry.target);
      else inView.delete(entry.target);
    }
  }, { rootMargin: "300px" });
  const figures = $$("figure[data-chart]");
  const redraw = (which = figures) => which.forEach((f) => (stale.add(f), inView.has(f) && drawNow(f)));
  // for printing and for tests; the promise is kept once everything is drawn
  window.drawEverything = (which = figures) => {
    which.forEach(drawNow);
    return ready.then(() => which.forEach(drawNow));
  };
  // on paper: light colours, as wide as a sheet, everything open
  let before = null;
  addEventListener("beforeprint", () => {
    before = { theme: document.documentElement.dataset.theme, shut: $$("details:not([open])") };
    document.documentElement.dataset.theme = "light";
    document.body.classList.add("printing");
    before.shut.forEach((d) => { d.open = true; });
    figures.forEach((f) => stale.add(f));
    window.drawEverything();
  });
  addEventListener("afterprint", () => {
    document.body.classList.remove("printing");
    before.shut.forEach((d) => { d.open = false; });
    setTheme(before.theme ?? "auto");
  });

  // -- choices ---------------------------------------------------------------------------------
  function apply(correct = false) {
    const chosen = selected();
    const everything = chosen.length === DATA.workloads.length;
    restore();
    if (!everything && chosen.length) narrow(chosen);
    resort($("#overall"));
    $("#scope").textContent = everything ? "" : `Score, wins, solved, times and diverged are over the ${chosen.length} of ${DATA.workloads.length} workloads selected, places over all workloads.`;
    for (const row of $$("tr[data-label]")) {
      row.hidden = !isOn(row.dataset.label) || (row.dataset.w !== undefined && !fits(Number(row.dataset.w)));
    }
    showBoards();
    for (const cell of $$(".tuned [data-w]")) cell.hidden = !fits(Number(cell.dataset.w));
    for (const figure of $$("figure[data-w]")) figure.hidden = !fits(Number(figure.dataset.w));
    for (const none of $$(".none")) none.hidden = chosen.length > 0;
    fillPairTable();
    redraw();
    VIEW.write(correct);
  }
  // the boards of the chosen regime, or of all workloads
  function showBoards() {
    const regime = CHOICE.filter.regime ?? "";
    const groups = $$('.answer[data-statement="these-workloads"]');
    const wanted = groups.some((g) => g.dataset.regime === regime) ? regime : "";
    for (const group of groups) group.hidden = group.dataset.regime !== wanted;
  }
  for (const button of $$(".board .more")) {
    const rest = $$(".rest", button.closest(".board"));
    const open = (all) => { rest.forEach((body) => { body.hidden = !all; }); button.setAttribute("aria-expanded", String(all)); };
    open(false);
    button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
    addEventListener("beforeprint", () => open(true));
  }
  for (const select of $$("[data-filter]")) {
    select.addEventListener("change", () => { CHOICE.filter[select.dataset.filter] = select.value; apply(); });
  }
  for (const box of $$(".chip input")) {
    box.addEventListener("change", () => { CHOICE.off[box.checked ? "delete" : "add"](box.dataset.label); apply(); });
  }
  const setAll = (on) => {
    $$(".chip input").forEach((box) => { box.checked = on; CHOICE.off[on ? "delete" : "add"](box.dataset.label); });
    apply();
  };
  $("#all").addEventListener("click", () => setAll(true));
  $("#none").addEventListener("click", () => setAll(false));
  const showAxis = () => {
    $$("#axis, #axis2").forEach((other) => { other.value = CHOICE.axis; });
    $$("table[data-axis]").forEach((table) => { table.dataset.axis = CHOICE.axis; });
  };
  for (const select of $$("#axis, #axis2")) {
    select.addEventListener("change", () => {
      CHOICE.axis = select.value;
      showAxis();
      redraw();
      VIEW.write();
    });
  }
  $("#quantity").addEventListener("change", (event) => {
    CHOICE.quantity = event.target.value;
    $("#logy").disabled = !CHOICE.quantity.endsWith("loss");
    redraw(figures.filter((f) => f.dataset.chart === "curve"));
    VIEW.write();
  });
  for (const name of ["logx", "logy", "bands"]) {
    $("#" + name).addEventListener("change", (event) => {
      CHOICE[name] = event.target.checked;
      redraw(figures.filter((f) => f.dataset.chart === "curve"));
      VIEW.write();
    });
  }

  // -- light and dark --------------------------------------------------------------------------
  function setTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $$("[data-theme-choice]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.themeChoice === theme)));
    redraw();
  }
  $$("[data-theme-choice]").forEach((b) => b.addEventListener("click", () => setTheme(b.dataset.themeChoice)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());

  $("#copy").addEventListener("click", async (event) => {
    const range = document.createRange();
    range.selectNodeContents($("#command"));
    getSelection().removeAllRanges();
    getSelection().addRange(range); // where copying is not allowed, the text is selected at least
    try {
      await navigator.clipboard.writeText($("#command").textContent);
      event.target.textContent = "copied";
    } catch {
      event.target.textContent = "selected";
    }
  });

  // -- pairs -----------------------------------------------------------------------------------
  const [pairBoard, pairOf] = [$("#pair-board"), $("#pair-of")];
  if (pairBoard) {
    DATA.boards.forEach((b, i) => pairBoard.add(new Option(b.title, i)));
    DATA.labels.forEach((label) => pairOf.add(new Option(label, label)));
    const change = () => {
      CHOICE.board = pairBoard.value;
      CHOICE.of = pairOf.value;
      fillPairTable();
      redraw(figures.filter((f) => f.dataset.chart === "pairs"));
      VIEW.write();
    };
    pairBoard.addEventListener("change", change);
    pairOf.addEventListener("change", change);
  }

  const slope = $("#slope-board");
  slope?.addEventListener("change", () => {
    CHOICE.slope = slope.value;
    redraw(figures.filter((f) => f.dataset.chart === "slope"));
    VIEW.write();
  });

  if (matchMedia("(max-width: 640px)").matches) $(".filter-box").open = false;

  // -- the view in the address -----------------------------------------------------------------
  function showView() {
    VIEW.read();
    $$("[data-filter]").forEach((select) => { select.value = CHOICE.filter[select.dataset.filter] ?? (select.disabled ? select.value : ""); });
    $$(".chip input").forEach((box) => { box.checked = !CHOICE.off.has(box.dataset.label); });
    for (const name of ["logx", "logy", "bands"]) $("#" + name).checked = CHOICE[name];
    $("#quantity").value = CHOICE.quantity;
    $("#logy").disabled = !CHOICE.quantity.endsWith("loss");
    if (pairBoard) [pairBoard.value, pairOf.value] = [CHOICE.board, CHOICE.of];
    if (slope) slope.value = CHOICE.slope;
    showAxis();
    apply(true);
  }
  addEventListener("popstate", showView);

  showView();
  figures.forEach((figure) => observer.observe(figure));
  ready.then(() => inView.forEach(drawNow));
})();
