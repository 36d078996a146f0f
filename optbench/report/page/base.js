// Data, choices and axes of the charts of the report. Each drawing takes a figure and draws it for
// the current choices.
"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const CHOICE = { axis: "examples", quantity: "val_loss", logx: true, logy: true, bands: true, off: new Set(DATA.off), filter: {}, board: "0", slope: "final-loss", of: DATA.crowd ? DATA.labels[0] : "" };
const START = { ...CHOICE, off: new Set(DATA.off) };
const DRAWINGS = {};
const AXIS_NAMES = { updates: "updates", examples: "examples seen", epochs: "epochs", seconds: "seconds of training" };
const QUANTITY_NAMES = { val_loss: "validation loss", train_loss: "training loss", val_metric: "validation metric", train_metric: "training metric" };

// plotly interprets some HTML in texts; names are shown unchanged
const asText = (s) => String(s).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const brief = (s) => asText(s.length > 26 ? s.slice(0, 25) + "…" : s);
const stacked = (title) => asText(title).replaceAll(", ", ",<br>");
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
  const plot = figure.querySelector(".plot");
  const paper = document.body.classList.contains("printing") ? { width: plot.clientWidth } : {};
  return Plotly.react(plot, traces, layout({ ...more, ...paper }), config);
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
const line = (label, { shape = "linear", ...more }) => ({ type: "scatter", mode: "lines", label, name: asText(label), line: { color: colour(label), dash: isLit(label) ? DATA.looks[label][1] : "solid", width: width(label), shape }, ...more });
