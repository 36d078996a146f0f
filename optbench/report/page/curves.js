// Charts with curves: convergence, learning rates, profiles, budgets. In a crowd, those that are not
// picked are one grey band.
"use strict";
const REST = { positions: 48, quantiles: [0.1, 0.5, 0.9], above: 3 };

function areaOf(name, fill, x, low, high) {
  const rows = x.map((v, i) => i).filter((i) => low[i] !== null && high[i] !== null && x[i] !== null);
  return {
    type: "scatter", mode: "lines", hoverinfo: "skip", fill: "toself", fillcolor: fill, line: { width: 0 }, name,
    x: [...rows.map((i) => x[i]), ...rows.toReversed().map((i) => x[i])],
    y: [...rows.map((i) => low[i]), ...rows.toReversed().map((i) => high[i])],
  };
}
const bandOf = (label, x, low, high) => areaOf("band of " + asText(label), colour(label) + "2b", x, low, high);

// y of a curve at x; null outside of its range, Infinity where its runs are lost
function valueAt(x, xs, ys) {
  const next = xs.findIndex((v) => v !== null && v >= x * (1 - 1e-9));
  if (next < 0) return null;
  const before = xs.slice(0, next).findLastIndex((v) => v !== null);
  if (before < 0 || xs[next] <= x) return xs[next] > x * (1 + 1e-9) ? null : ys[next] ?? Infinity;
  if (ys[before] === null || ys[next] === null) return Infinity;
  return ys[before] + ((x - xs[before]) / (xs[next] - xs[before])) * (ys[next] - ys[before]);
}
// the curves of those that are not picked: from the 10% to the 90% quantile, with the median
function restBand(curves, worst) {
  const every = curves.flatMap((c) => c.x).filter((v) => v !== null);
  if (!every.length) return [];
  const [low, high] = [Math.min(...every), Math.max(...every)], log = low > 0;
  const place = (k) => (log ? low * (high / low) ** (k / (REST.positions - 1)) : low + ((high - low) * k) / (REST.positions - 1));
  const rows = Array.from({ length: REST.positions }, (_, k) => [place(k), curves.map((c) => valueAt(place(k), c.x, c.y)).filter((v) => v !== null).toSorted((a, b) => a - b)]).filter(([, values]) => values.length);
  const edges = REST.quantiles.map((q) => rows.map(([, v]) => Math.min(v[Math.round(q * (v.length - 1))], worst)));
  const x = rows.map(([at]) => at), name = `${curves.length} others`;
  return [
    areaOf(name, ink("rest") + "66", x, edges[0], edges[2]),
    { type: "scatter", mode: "lines", name, x, y: edges[1], line: { color: ink("rest"), width: 1 }, hovertemplate: "median %{y:.4g}; band: 10% to 90% of them" },
  ];
}
// what is drawn of curves {label, x, y}: the grey band, then a line for each that is picked
function lineOrBand(curves, worst, look) {
  const rest = curves.filter((c) => !isLit(c.label));
  const lit = curves.filter((c) => isLit(c.label)).map((c) => line(c.label, { x: c.x, y: c.y, ...look(c) }));
  return [...(DATA.crowd ? restBand(rest, worst) : []), ...lit];
}

// names of curves right of the axes, at the height where they end, pushed apart
const MOST_NAMES = 10, NAME_PIXELS = 13, AXIS_PIXELS = 48;
const pen = document.createElement("canvas").getContext("2d");
function textWidth(text) {
  pen.font = "11px " + getComputedStyle(document.body).fontFamily;
  return pen.measureText(text).width;
}
// a name, cut where it is wider than so many pixels
function within(label, pixels) {
  let text = label;
  while (text.length > 2 && textWidth(text) > pixels) text = text.slice(0, -2) + "…";
  return asText(text);
}
function endLabels(figure, lines, range, log) {
  const lit = lines.filter((t) => t.line.width > 1 && t.fill === undefined);
  if (lit.length > MOST_NAMES || !lit.length || !range) return [];
  const height = figure.querySelector(".plot").clientHeight - AXIS_PIXELS;
  const [low, high] = range, place = (v) => ((log ? Math.log10(v) : v) - low) / (high - low);
  const ends = lit.map((t) => [t, t.y.findLast((v) => v !== null && (v > 0 || !log))]).filter(([, v]) => v !== undefined);
  const items = ends.map(([t, v]) => ({ t, at: Math.min(Math.max(place(v), 0), 1) * height })).toSorted((a, b) => a.at - b.at);
  for (let i = 1; i < items.length; i++) items[i].at = Math.max(items[i].at, items[i - 1].at + NAME_PIXELS);
  const excess = items.length ? items.at(-1).at - height : 0;
  for (let i = items.length - 1, top = Infinity; excess > 0 && i >= 0; i--) top = items[i].at = Math.min(items[i].at, i === items.length - 1 ? height : top - NAME_PIXELS);
  return items.map(({ t, at }) => ({ x: 1, y: at / height, xref: "paper", yref: "paper", xanchor: "left", yanchor: "middle", xshift: 4, showarrow: false, text: within(t.label, 0.35 * figure.clientWidth), font: { size: 11, color: t.line.color } }));
}
const roomFor = (names) => 12 + (names.length ? 4 + Math.ceil(Math.max(...names.map((a) => textWidth(a.text)))) : 0);
// lines with their names at the right
function drawNamed(figure, traces, axes) {
  const { yaxis } = axes;
  const annotations = endLabels(figure, traces, yaxis.range, yaxis.type === "log");
  return draw(figure, traces, { ...axes, annotations, margin: { l: 48, r: roomFor(annotations), t: 8, b: 40 } });
}

DRAWINGS.curve = function drawCurve(figure) {
  const w = Number(figure.dataset.w), isLoss = CHOICE.quantity.endsWith("loss");
  const mine = DATA.curves.filter((c) => c.w === w && c.y[CHOICE.quantity] && isOn(c.label)).map((c) => ({
    label: c.label, x: CHOICE.logx ? c.x[CHOICE.axis].map((v) => (v > 0 ? v : null)) : c.x[CHOICE.axis], band: c.y[CHOICE.quantity], y: c.y[CHOICE.quantity][0],
  }));
  const bands = mine.filter((c) => CHOICE.bands && c.band.length === 3 && isLit(c.label)).map((c) => bandOf(c.label, c.x, c.band[1], c.band[2]));
  const finite = mine.flatMap((c) => c.y).filter((v) => v !== null);
  // far above the picked curves the others are cut off, or the picked ones would be flat
  const picked = mine.filter((c) => isLit(c.label)).flatMap((c) => c.y).filter((v) => v !== null);
  const most = Math.max(...finite), worst = !isLoss ? Math.min(...finite) : picked.length ? Math.min(most, REST.above * Math.max(...picked)) : most;
  const lines = lineOrBand(mine, worst, () => ({ hovertemplate: "%{y:.4g} at %{x:.4~s}" }));
  // losses are read against the target, accuracies against guessing the largest class
  const level = { val_loss: DATA.workloads[w].target, val_metric: DATA.workloads[w].base, train_metric: DATA.workloads[w].base }[CHOICE.quantity] ?? null;
  const shapes = level !== null ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: level, y1: level, line: { color: ink("soft"), width: 1, dash: "dot" } }] : [];
  const xaxis = scale(AXIS_NAMES[CHOICE.axis], CHOICE.logx, lines.flatMap((t) => t.x));
  const yaxis = scale(QUANTITY_NAMES[CHOICE.quantity], CHOICE.logy && isLoss, lines.flatMap((t) => t.y).concat(bands.flatMap((t) => t.y), shapes.length ? level : []));
  return drawNamed(figure, [...bands, ...lines], { xaxis, yaxis, shapes });
};

// the median of neighbouring trials: single trials scatter, the line shows where the rate works
function runningMedian(values) {
  const half = values.length >= 15 ? 2 : values.length >= 8 ? 1 : 0;
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - half), i + half + 1).toSorted((a, b) => a - b);
    return near[near.length >> 1];
  });
}
DRAWINGS.lr = function drawLr(figure) {
  const w = Number(figure.dataset.w);
  const mine = DATA.lr.filter((c) => c.w === w && isLit(c.label));
  const starts = mine.map((c) => c.start).filter((v) => v);
  const start = starts.length ? Math.max(...starts) : null;
  const ceiling = start ? 3 * start : Infinity;
  const fine = (v) => v !== null && v <= ceiling;
  const shown = (c, loss) => Math.max(loss, c.floor); // a loss near 0 would press the others together
  const all = mine.flatMap((c) => c.loss.filter(fine).map((v) => shown(c, v))).concat(starts);
  const top = all.length ? Math.max(...all) * 1.5 : 1;
  const lostAny = mine.some((c) => !c.loss.every(fine));
  const traces = mine.flatMap((c) => {
    const ok = c.lr.map((_, i) => i).filter((i) => fine(c.loss[i])), lost = c.lr.map((_, i) => i).filter((i) => !fine(c.loss[i]));
    const [x, y] = [ok.map((i) => c.lr[i]), ok.map((i) => shown(c, c.loss[i]))], name = asText(c.label), hue = colour(c.label);
    const below = ok.map((i) => c.loss[i] < c.floor);
    const near = c.chosen === null ? -1 : x.reduce((best, v, i) => (best < 0 || Math.abs(Math.log(v / c.chosen)) < Math.abs(Math.log(x[best] / c.chosen)) ? i : best), -1);
    return [
      { type: "scatter", mode: "markers", name, x, y, customdata: ok.map((i) => c.loss[i]), hovertemplate: "loss %{customdata:.4g}, lr %{x:.3g}", marker: { size: x.map((_, i) => (i === near ? 11 : below[i] ? 7 : 4)), opacity: x.map((_, i) => (i === near ? 1 : below[i] ? 0.8 : 0.45)), symbol: x.map((_, i) => (below[i] ? "triangle-down" : "circle") + (i === near ? (below[i] ? "-open" : "-open-dot") : "")), color: hue, line: { width: x.map((_, i) => (i === near ? 2 : 0)) } } },
      ...(c.joined ? [line(c.label, { x, y: runningMedian(y), hoverinfo: "skip" })] : []),
      { type: "scatter", mode: "markers", name, x: lost.map((i) => c.lr[i]), y: lost.map(() => top), hovertemplate: "diverged, lr %{x:.3g}", marker: { symbol: "x-thin", size: 8, line: { width: 2, color: hue } } },
    ];
  });
  const shapes = start ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: start, y1: start, line: { color: ink("soft"), width: 1, dash: "dot" } }] : [];
  return draw(figure, traces, { xaxis: scale("learning rate", true, mine.flatMap((c) => c.lr)), yaxis: scale("validation loss", true, all.concat(lostAny ? top : [])), shapes });
};

const SHIFT = 0.006; // between two curves with equal steps, as in the files
DRAWINGS.profile = function drawProfile(figure) {
  const p = DATA.profiles[CHOICE.axis];
  const mine = p ? Object.keys(p.rho).filter(isOn).map((label) => ({ label, x: p.tau, y: p.rho[label] })) : [];
  // curves with equal steps are moved apart, so that all stay visible; hover texts have the true share
  const lit = mine.filter((c) => isLit(c.label)), place = (c) => SHIFT * (lit.indexOf(c) - (lit.length - 1) / 2);
  const moved = mine.map((c) => (isLit(c.label) ? { ...c, share: c.y, y: c.y.map((v) => (v === null ? null : v + place(c))) } : c));
  const traces = lineOrBand(moved, 0, (c) => ({ shape: "hv", customdata: c.share, hovertemplate: "%{customdata:.0%} within %{x:.2f}×" }));
  return drawNamed(figure, traces, { xaxis: scale("τ: " + AXIS_NAMES[CHOICE.axis] + " / least of anyone", true, p ? p.tau : []), yaxis: { title: { text: "workloads solved" }, tickformat: ".0%", range: [-0.03, 1.04] } });
};

const TRIALS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128];
DRAWINGS.budget = function drawBudget(figure) {
  const chosen = new Set(selected()), everything = chosen.size === DATA.workloads.length;
  const mine = DATA.labels.filter(isOn).flatMap((label) => {
    const own = DATA.budgets.filter((b) => b.label === label && (everything ? b.w < 0 : chosen.has(b.w)));
    if (!own.length) return [];
    const length = Math.min(...own.map((b) => b.score.length));
    return [{ label, x: Array.from({ length }, (_, k) => k + 1), y: Array.from({ length }, (_, k) => own.reduce((sum, b) => sum + b.score[k], 0) / own.length) }];
  });
  const traces = lineOrBand(mine, 0, () => ({ mode: "lines+markers", marker: { size: 5 }, hovertemplate: "%{y:.3f} after %{x} trials" }));
  const values = mine.flatMap((c) => c.y), [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const room = Math.max(0.05 * (high - low), 0.01);
  return drawNamed(figure, traces, { xaxis: { title: { text: "trials k" }, type: "log", tickvals: TRIALS, minor: { showgrid: false } }, yaxis: { title: { text: "expected score" }, range: [low - room, high + room], tickvals: evenTicks(low - room, high + room) } });
};
