// Charts of the report. Each function takes a figure and draws it for the current choices.
"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const CHOICE = { axis: "examples", quantity: "val_loss", logx: true, logy: true, bands: true, off: new Set(DATA.off), filter: {}, board: 0, of: DATA.crowd ? DATA.labels[0] : "" };
const START = { ...CHOICE };
const AXIS_NAMES = { updates: "updates", examples: "examples seen", epochs: "epochs", seconds: "seconds of training" };
const QUANTITY_NAMES = { val_loss: "validation loss", train_loss: "training loss", val_metric: "validation metric", train_metric: "training metric" };

// plotly interprets some HTML in texts; names are shown unchanged
const asText = (s) => String(s).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const brief = (s) => asText(s.length > 26 ? s.slice(0, 25) + "…" : s);
// in a crowd, tables have everyone, and charts have those in grey that are not picked
const isLit = (label) => !CHOICE.off.has(label);
const isOn = (label) => DATA.crowd || isLit(label);
const shownFirst = (labels) => labels.filter(isOn).toSorted((a, b) => isLit(a) - isLit(b) || (a < b ? -1 : 1));
const fits = (w) => Object.entries(CHOICE.filter).every(([key, value]) => !value || DATA.workloads[w][key] === value);
const selected = () => DATA.workloads.map((_, w) => w).filter(fits);
const colour = (label) => (isLit(label) ? DATA.looks[label][0] : ink("rest"));
const width = (label) => (isLit(label) ? 2 : 1);
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

function layout(more) {
  const axis = { gridcolor: ink("grid"), zeroline: false, linecolor: ink("rule"), tickcolor: ink("rule"), automargin: true, title: { standoff: 6 } };
  const base = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink("soft") },
    margin: { l: 48, r: 12, t: 8, b: 40 }, hovermode: "closest", dragmode: false,
    hoverlabel: { bgcolor: ink("panel"), bordercolor: ink("rule"), font: { color: ink("ink") }, namelength: 40 },
  };
  const merged = { ...base, ...more };
  for (const key of ["xaxis", "yaxis", "xaxis2", "yaxis2"]) {
    if (key in merged || key.length === 5) merged[key] = { ...axis, ...merged[key], title: { ...axis.title, ...(merged[key] || {}).title } };
  }
  return merged;
}

// plotly is packed in the page; the policy of the page knows the hash of its script
async function loadPlotly() {
  const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
}

function draw(figure, traces, more) {
  const config = { displaylogo: false, responsive: true, displayModeBar: false, scrollZoom: false };
  return Plotly.react(figure.querySelector(".plot"), traces, layout(more), config);
}

// round numbers at equal distances, at least two of them
function evenTicks(low, high) {
  for (const target of [4, 8, 16]) {
    const power = 10 ** Math.floor(Math.log10((high - low) / target));
    const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= (high - low) / target);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-12); k++) ticks.push(+(k * step).toPrecision(12));
    if (ticks.length > 1) return ticks;
  }
  return [low, high];
}
function logTicks(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  for (const steps of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let p = first; p <= last; p++) ticks.push(...steps.map((s) => s * 10 ** p).filter((t) => t >= low * 0.999 && t <= high * 1.001));
    if (ticks.length <= 6 && ticks.length > 1) return ticks;
  }
  if (high / low < 10) return evenTicks(low, high);
  const every = Math.ceil((last - first + 1) / 6);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((p) => p % every === 0).map((p) => 10 ** p);
}
function tickText(v) {
  if (v < 1e-4 || v >= 1e9) return v.toExponential(0).replace("1e", "10^").replace("+", "").replace(/10\^(-?\d+)/, "10<sup>$1</sup>");
  return v >= 1e6 ? +(v / 1e6).toPrecision(3) + "M" : v >= 1e3 ? +(v / 1e3).toPrecision(3) + "k" : String(+v.toPrecision(4));
}
// few round ticks; plotly's own ticks are too many for a small chart
function scale(title, log, values) {
  const good = log ? values.filter((v) => v !== null && v > 0 && Number.isFinite(v)) : [];
  if (!good.length) return { title: { text: title }, nticks: 6 };
  let [low, high] = [good.reduce((a, b) => Math.min(a, b)), good.reduce((a, b) => Math.max(a, b))].map(Math.log10);
  const room = Math.max((high - low) * 0.05, 0.02);
  [low, high] = [low - room, high + room];
  const ticks = logTicks(10 ** low, 10 ** high);
  return { title: { text: title }, type: "log", range: [low, high], tickvals: ticks, ticktext: ticks.map(tickText) };
}
const line = (label, more) => ({ type: "scatter", mode: "lines", name: asText(label), line: { color: colour(label), dash: isLit(label) ? DATA.looks[label][1] : "solid", width: width(label) }, ...more });


function bandOf(label, x, low, high) {
  const rows = x.map((v, i) => i).filter((i) => low[i] !== null && high[i] !== null && x[i] !== null);
  return {
    type: "scatter", mode: "lines", hoverinfo: "skip", fill: "toself", fillcolor: colour(label) + "2b", line: { width: 0 }, name: "band of " + asText(label),
    x: [...rows.map((i) => x[i]), ...rows.toReversed().map((i) => x[i])],
    y: [...rows.map((i) => low[i]), ...rows.toReversed().map((i) => high[i])],
  };
}

// names of curves right of the axes, at the height where they end, pushed apart
const MOST_NAMES = 8, NAME_PIXELS = 13;
function endLabels(figure, lines, yaxis) {
  const lit = lines.filter((t) => t.line.width > 1);
  if (lit.length > MOST_NAMES || lit.length < 2 || !yaxis.range) return [];
  const height = figure.querySelector(".plot").clientHeight - 48;
  const [low, high] = yaxis.range;
  const ends = lit.map((t) => [t, t.y.findLast((v) => v !== null && v > 0)]).filter(([, v]) => v !== undefined);
  const items = ends.map(([t, v]) => ({ t, at: Math.min(Math.max((Math.log10(v) - low) / (high - low), 0), 1) * height })).toSorted((a, b) => a.at - b.at);
  for (let i = 1; i < items.length; i++) items[i].at = Math.max(items[i].at, items[i - 1].at + NAME_PIXELS);
  const excess = items.length ? items.at(-1).at - height : 0;
  for (let i = items.length - 1, top = Infinity; excess > 0 && i >= 0; i--) top = items[i].at = Math.min(items[i].at, i === items.length - 1 ? height : top - NAME_PIXELS);
  return items.map(({ t, at }) => ({ x: 1, y: at / height, xref: "paper", yref: "paper", xanchor: "left", yanchor: "middle", xshift: 4, showarrow: false, text: t.name.length > 14 ? brief(t.name.slice(0, 13)) + "…" : t.name, font: { size: 11, color: t.line.color } }));
}

function drawCurve(figure) {
  const w = Number(figure.dataset.w);
  const isLoss = CHOICE.quantity.endsWith("loss");
  const bands = [], lines = [];
  const here = new Map(DATA.curves.filter((c) => c.w === w).map((c) => [c.label, c]));
  for (const label of shownFirst([...here.keys()])) {
    const c = here.get(label);
    const y = c.y[CHOICE.quantity];
    if (!y) continue;
    const x = CHOICE.logx ? c.x[CHOICE.axis].map((v) => (v > 0 ? v : null)) : c.x[CHOICE.axis];
    if (CHOICE.bands && y.length === 3 && isLit(label)) bands.push(bandOf(c.label, x, y[1], y[2]));
    lines.push(line(c.label, { x, y: y[0], hovertemplate: "%{y:.4g} at %{x:.4~s}" }));
  }
  const target = DATA.workloads[w].target;
  const shapes = target !== null && CHOICE.quantity === "val_loss" ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: target, y1: target, line: { color: ink("soft"), width: 1, dash: "dot" } }] : [];
  const xaxis = scale(AXIS_NAMES[CHOICE.axis], CHOICE.logx, lines.flatMap((t) => t.x));
  const yaxis = scale(QUANTITY_NAMES[CHOICE.quantity], CHOICE.logy && isLoss, lines.flatMap((t) => t.y).concat(bands.flatMap((t) => t.y), target));
  const names = endLabels(figure, lines, yaxis);
  return draw(figure, [...bands, ...lines], { xaxis, yaxis, shapes, annotations: names, margin: { l: 48, r: names.length ? 12 + 6.2 * Math.max(...names.map((a) => a.text.length)) : 12, t: 8, b: 40 } });
}

function drawLr(figure) {
  const w = Number(figure.dataset.w);
  const mine = DATA.lr.filter((c) => c.w === w && isLit(c.label));
  const starts = mine.map((c) => c.start).filter((v) => v);
  const start = starts.length ? Math.max(...starts) : null;
  const ceiling = start ? 3 * start : Infinity;
  const fine = (v) => v !== null && v <= ceiling;
  const all = mine.flatMap((c) => c.loss.filter(fine)).concat(starts);
  const top = all.length ? Math.max(...all) * 1.5 : 1;
  const traces = [];
  const lostAny = mine.some((c) => !c.loss.every(fine));
  for (const c of mine) {
    const ok = c.lr.map((_, i) => i).filter((i) => fine(c.loss[i]));
    const lost = c.lr.map((_, i) => i).filter((i) => !fine(c.loss[i]));
    const near = c.chosen === null ? -1 : ok.reduce((best, i) => best < 0 || Math.abs(Math.log(c.lr[i] / c.chosen)) < Math.abs(Math.log(c.lr[best] / c.chosen)) ? i : best, -1);
    traces.push(line(c.label, {
      mode: c.joined ? "lines+markers" : "markers", x: ok.map((i) => c.lr[i]), y: ok.map((i) => c.loss[i]), hovertemplate: "loss %{y:.4g}, lr %{x:.3g}",
      marker: { size: ok.map((i) => (i === near ? 11 : 5)), symbol: ok.map((i) => (i === near ? "circle-open-dot" : "circle")), color: colour(c.label), line: { width: ok.map((i) => (i === near ? 2 : 0)) } },
    }));
    traces.push({ type: "scatter", mode: "markers", name: asText(c.label), x: lost.map((i) => c.lr[i]), y: lost.map(() => top), hovertemplate: "diverged, lr %{x:.3g}", marker: { symbol: "x-thin", size: 8, line: { width: 2, color: colour(c.label) } } });
  }
  const shapes = start ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: start, y1: start, line: { color: ink("soft"), width: 1, dash: "dot" } }] : [];
  return draw(figure, traces, { xaxis: scale("learning rate", true, mine.flatMap((c) => c.lr)), yaxis: scale("validation loss", true, all.concat(lostAny ? top : [])), shapes });
}

function drawProfile(figure) {
  const p = DATA.profiles[CHOICE.axis];
  const traces = p ? shownFirst(Object.keys(p.rho)).map((label) => line(label, { x: p.tau, y: p.rho[label], line: { color: colour(label), dash: isLit(label) ? DATA.looks[label][1] : "solid", width: width(label), shape: "hv" }, hovertemplate: "%{y:.0%} within %{x:.2f}×" })) : [];
  return draw(figure, traces, { xaxis: scale("τ: " + AXIS_NAMES[CHOICE.axis] + " / least of anyone", true, p ? p.tau : []), yaxis: { title: { text: "workloads solved" }, tickformat: ".0%", range: [-0.03, 1.04] } });
}

function drawBudget(figure) {
  const chosen = new Set(selected());
  const everything = chosen.size === DATA.workloads.length;
  const traces = shownFirst(DATA.labels).flatMap((label) => {
    const mine = DATA.budgets.filter((b) => b.label === label && (everything ? b.w < 0 : chosen.has(b.w)));
    const length = Math.min(...mine.map((b) => b.score.length));
    if (!mine.length) return [];
    const mean = Array.from({ length }, (_, k) => mine.reduce((sum, b) => sum + b.score[k], 0) / mine.length);
    return [line(label, { mode: "lines+markers", x: mean.map((_, k) => k + 1), y: mean, marker: { size: 5 }, hovertemplate: "%{y:.3f} after %{x} trials" })];
  });
  return draw(figure, traces, { xaxis: { title: { text: "trials k" }, type: "log", tickvals: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128], minor: { showgrid: false } }, yaxis: { title: { text: "expected score" } } });
}

function drawStability(figure) {
  const rows = DATA.stability.filter((r) => isOn(r.label)).toReversed();
  const narrow = figure.clientWidth < 560; // one above the other on a telephone
  figure.querySelector(".plot").style.height = (narrow ? 190 : 90) + (narrow ? 56 : 28) * rows.length + "px";
  const dots = (key, name, axes) => rows.map((r) => {
    const [v, lo, hi] = r[key];
    return { type: "scatter", mode: "markers", name: asText(r.label), x: [v], y: [brief(r.label)], marker: { color: colour(r.label), size: 9 }, error_x: { type: "data", symmetric: false, array: [hi === null ? 0 : hi - v], arrayminus: [lo === null ? 0 : v - lo], color: colour(r.label), thickness: 2, width: 0 }, hovertemplate: name + " %{x:.1%}", ...axes };
  });
  const kept = { title: { text: "progress kept" }, tickformat: ".0%", nticks: 5, tickangle: 0 };
  const fate = rows.some((r) => r.failed) ? "diverged or failed" : "diverged";
  const lost = { title: { text: fate }, tickformat: ".0%", nticks: 5, tickangle: 0, range: [-0.02, Math.max(0.1, ...rows.map((r) => r.lost[2])) * 1.05] };
  const more = narrow
    ? { xaxis: { ...kept, anchor: "y" }, yaxis: { type: "category", domain: [0.62, 1] }, xaxis2: { ...lost, anchor: "y2" }, yaxis2: { type: "category", domain: [0, 0.38], anchor: "x2" } }
    : { xaxis: { ...kept, domain: [0, 0.46] }, yaxis: { type: "category" }, xaxis2: { ...lost, domain: [0.54, 1] } };
  return draw(figure, [...dots("kept", "kept"), ...dots("lost", fate, { xaxis: "x2", ...(narrow ? { yaxis: "y2" } : {}) })], more);
}

function drawFlips(figure) {
  const view = DATA.views[Number(figure.dataset.view)];
  const traces = shownFirst(Object.keys(view.ranks)).map((label) => line(label, { mode: "lines+markers+text", x: view.regimes, y: view.regimes.map((r) => view.ranks[label][r] ?? null), marker: { size: 8 }, text: view.regimes.map((_, i) => (i === view.regimes.length - 1 && isLit(label) ? " " + brief(label) : "")), textposition: "middle right", textfont: { color: ink("ink") }, cliponaxis: false, hovertemplate: "rank %{y} with %{x}" }));
  const longest = Math.max(0, ...Object.keys(view.ranks).map((k) => Math.min(k.length, 26)));
  return draw(figure, traces, { margin: { l: 34, r: 22 + 7 * longest, t: 8, b: 32 }, yaxis: { autorange: "reversed", dtick: 1, title: { text: "rank" } }, xaxis: { type: "category", tickangle: 0 } });
}

function drawMatrix(figure) {
  const m = DATA.matrix;
  const rows = m.labels.map((_, i) => i).filter((i) => isOn(m.labels[i])).toReversed();
  figure.querySelector(".plot").style.height = 130 + 34 * rows.length + "px";
  const cell = (v, lost) => (v === null ? "–" : v.toFixed(2)) + (lost ? "<br>(" + Math.round(100 * lost) + "%)" : "");
  return draw(figure, [{ type: "heatmap", x: m.initializations.map(brief), y: rows.map((i) => brief(m.labels[i])), z: rows.map((i) => m.score[i]), zmin: 0, zmax: 1, xgap: 2, ygap: 2, showscale: false, colorscale: [[0, "#f3f6f9"], [0.25, "#a9cbe4"], [0.5, "#4a90c2"], [0.75, "#15588f"], [1, "#06294d"]], text: rows.map((i) => m.score[i].map((v, j) => cell(v, m.divergence[i][j]))), texttemplate: "%{text}", hovertemplate: "%{y} with %{x}: %{z:.3f}<extra></extra>" }], { xaxis: { side: "top", type: "category" }, yaxis: { type: "category" }, margin: { l: 40, r: 12, t: 60, b: 10 } });
}

function drawMap(figure) {
  figure.querySelector(".plot").style.height = "440px";
  const squeeze = (v) => Math.asinh(v / 0.1); // linear near 0, logarithmic beyond 10%
  const ticks = [-100, -10, -1, -0.3, -0.1, 0, 0.1, 0.3, 1, 3, 10, 100];
  const traces = shownFirst(DATA.labels).map((label) => {
    const mine = DATA.map.filter((e) => e.label === label && fits(e.w));
    return { type: "scatter", mode: "markers", name: asText(label), x: mine.map((e) => squeeze(e.terms[1][0])), y: mine.map((e) => squeeze(e.terms[2][0])), marker: { color: colour(label), symbol: DATA.looks[label][2], size: 10, line: { color: ink("paper"), width: 1 } }, customdata: mine.map((e) => [asText(DATA.workloads[e.w].title + ", " + DATA.workloads[e.w].regime), ...e.terms.map((t) => t[0]), e.verdict]), hovertemplate: "%{customdata[0]}<br>bias %{customdata[1]:.1%}, optimization gap %{customdata[2]:.1%}, variance %{customdata[3]:.1%}<br>high: %{customdata[4]}" };
  });
  const edge = squeeze(0.1);
  const rule = { line: { color: ink("soft"), width: 1, dash: "dot" }, type: "line" };
  const shapes = [{ ...rule, yref: "paper", y0: 0, y1: 1, x0: edge, x1: edge }, { ...rule, xref: "paper", x0: 0, x1: 1, y0: edge, y1: edge }];
  const axis = (title) => ({ title: { text: title }, tickvals: ticks.map(squeeze), ticktext: ticks.map((t) => 100 * t + "%") });
  return draw(figure, traces, { shapes, xaxis: axis("optimization gap"), yaxis: axis("variance (validation − training)") });
}

const DRAWINGS = { curve: drawCurve, lr: drawLr, profile: drawProfile, budget: drawBudget, stability: drawStability, flips: drawFlips, matrix: drawMatrix, map: drawMap };
