// Charts of scores and groups: heat map, regimes, stability, initializers, sources of the loss.
"use strict";
DRAWINGS.stability = function drawStability(figure) {
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
};

// light to dark in one hue; names of cells are dark on light and light on dark
const SHADES = ["#f3f6f9", "#a9cbe4", "#4a90c2", "#15588f", "#06294d"];
const shadeScale = SHADES.map((c, i) => [i / (SHADES.length - 1), c]);
const MOST_COLUMNS = 16;
DRAWINGS.heat = function drawHeat(figure) {
  const h = DATA.heat;
  const columns = h.workloads.map((w, j) => j).filter((j) => fits(h.workloads[j]));
  const rows = h.labels.map((_, i) => i).filter((i) => isOn(h.labels[i])).toReversed();
  const names = columns.map((j) => stacked(DATA.workloads[h.workloads[j]].short));
  const wide = figure.clientWidth > 560;
  const lines = Math.max(0, ...names.map((n) => n.split("<br>").length)), longest = Math.max(0, ...names.flatMap((n) => n.split("<br>").map(textWidth)));
  const flat = wide && (figure.clientWidth - 140) / Math.max(columns.length, 1) > longest;
  const top = flat ? 16 + 15 * lines : 24 + longest;
  const side = rows.length > 20 ? 17 : 24;
  figure.querySelector(".plot").style.height = top + 16 + side * rows.length + "px";
  const texts = wide && columns.length <= MOST_COLUMNS;
  const mark = (i, j) => (h.score[i][j] === null ? "–" : (texts ? h.score[i][j].toFixed(2) : "") + (h.lost[i][j] > 0.005 ? "×" : ""));
  const about = (i, j) => `${asText(h.labels[i])} on ${asText(DATA.workloads[h.workloads[j]].title)}: ${h.score[i][j] === null ? "not trained" : h.score[i][j].toFixed(3)}` + (h.lost[i][j] ? `<br>${(100 * h.lost[i][j]).toFixed(1)}% of the runs lost` : "");
  const trace = { type: "heatmap", x: columns.map((_, k) => k), y: rows.map((_, k) => k), z: rows.map((i) => columns.map((j) => h.score[i][j])), zmin: 0, zmax: 1, xgap: 1, ygap: 1, colorscale: shadeScale, showscale: false, text: rows.map((i) => columns.map((j) => mark(i, j))), texttemplate: "%{text}", textfont: { size: 11 }, hovertext: rows.map((i) => columns.map((j) => about(i, j))), hovertemplate: "%{hovertext}<extra></extra>" };
  return draw(figure, [trace], {
    xaxis: { side: "top", tickvals: columns.map((_, k) => k), ticktext: names, tickangle: flat ? 0 : -90, tickfont: { size: 11 }, showgrid: false },
    yaxis: { tickvals: rows.map((_, k) => k), ticktext: rows.map((i) => brief(h.labels[i])), tickfont: { size: side < 20 ? 10 : 12 }, showgrid: false },
    margin: { l: 60, r: 8, t: top, b: 8 },
  });
};

// groups of entrants that are not told apart, a box for each; within a box the order is that of the
// board
const SLOTS = { few: 12, tall: 20, low: 9, gap: 14, name: 13 };
function slotsOf(groups, unit) {
  const slots = new Map(), boxes = [];
  let at = 0;
  groups.forEach((group, g) => {
    const from = at;
    group.forEach((label, k) => slots.set(label, { at: at + (k + 0.5) * unit, group: g + 1 }));
    at += group.length * unit;
    boxes.push([from, at]);
    at += SLOTS.gap;
  });
  return { slots, boxes };
}
DRAWINGS.slope = function drawSlope(figure) {
  const s = DATA.slopes[CHOICE.slope];
  const shown = s ? s.groups.map((groups) => groups.map((group) => group.filter(isOn)).filter((group) => group.length)) : [];
  const labels = [...new Set(shown.flat(2))];
  const unit = labels.length <= SLOTS.few ? SLOTS.tall : SLOTS.low;
  const columns = shown.map((groups) => slotsOf(groups, unit));
  const end = Math.max(1, ...columns.map((c) => c.boxes.at(-1)?.[1] ?? 0));
  figure.querySelector(".plot").style.height = 46 + end + "px";
  const shapes = columns.flatMap((c, x) => c.boxes.map(([y0, y1]) => ({ type: "rect", layer: "below", x0: x - 0.06, x1: x + 0.06, y0: y0 + 1, y1: y1 - 1, fillcolor: ink("panel"), line: { color: ink("soft"), width: 1 } })));
  const traces = shownFirst(labels).map((label) => {
    const places = columns.map((c) => c.slots.get(label));
    return line(label, { mode: "lines+markers", x: columns.map((_, x) => x), y: places.map((p) => p?.at ?? null), marker: { size: isLit(label) ? 8 : 4, symbol: DATA.looks[label][2], color: colour(label) }, customdata: places.map((p, x) => [p?.group ?? "", s.regimes[x]]), hovertemplate: "group %{customdata[0]} in %{customdata[1]}" });
  });
  // names beside the first and the last box, pushed apart where slots are low
  const heights = [0, columns.length - 1].map((x) => {
    const lit = columns[x] ? labels.filter((k) => isLit(k) && columns[x].slots.has(k)).toSorted((a, b) => columns[x].slots.get(a).at - columns[x].slots.get(b).at) : [];
    let last = -Infinity;
    return new Map(lit.map((k) => [k, (last = Math.max(columns[x].slots.get(k).at, last + SLOTS.name))]));
  });
  const most = 0.3 * figure.clientWidth;
  const name = (label, x, right) => ({ x: x + (right ? 0.08 : -0.08), y: heights[right ? 1 : 0].get(label), xanchor: right ? "left" : "right", yanchor: "middle", showarrow: false, text: within(label, most), font: { size: unit < 12 ? 10 : 12, color: colour(label) } });
  const annotations = [[0, false], [columns.length - 1, true]].flatMap(([x, right]) => [...heights[right ? 1 : 0].keys()].map((k) => name(k, x, right)));
  const room = Math.ceil(Math.max(0, ...annotations.map((a) => textWidth(a.text)))) * (unit < SLOTS.tall ? 1 : 12 / 11) + 16;
  return draw(figure, traces, { shapes, annotations, xaxis: { tickvals: columns.map((_, x) => x), ticktext: s ? s.regimes : [], side: "top", range: [-0.1, columns.length - 0.9], showgrid: false, tickfont: { size: 13, color: ink("ink") } }, yaxis: { range: [end, 0], visible: false }, margin: { l: room, r: room, t: 34, b: 8 } });
};

DRAWINGS.matrix = function drawMatrix(figure) {
  const m = DATA.matrix;
  const rows = m.labels.map((_, i) => i).filter((i) => isOn(m.labels[i])).toReversed();
  figure.querySelector(".plot").style.height = 130 + 34 * rows.length + "px";
  const cell = (v, lost) => (v === null ? "–" : v.toFixed(2)) + (lost ? "<br>(" + Math.round(100 * lost) + "%)" : "");
  return draw(figure, [{ type: "heatmap", x: m.initializations.map(brief), y: rows.map((i) => brief(m.labels[i])), z: rows.map((i) => m.score[i]), zmin: 0, zmax: 1, xgap: 2, ygap: 2, showscale: false, colorscale: shadeScale, text: rows.map((i) => m.score[i].map((v, j) => cell(v, m.divergence[i][j]))), texttemplate: "%{text}", hovertemplate: "%{y} with %{x}: %{z:.3f}<extra></extra>" }], { xaxis: { side: "top", type: "category" }, yaxis: { type: "category" }, margin: { l: 40, r: 12, t: 60, b: 10 } });
};

DRAWINGS.map = function drawMap(figure) {
  figure.querySelector(".plot").style.height = "440px";
  const { width, ticks, high, limits } = DATA.map.scale;
  const squeeze = (v) => Math.asinh(v / width);
  const traces = shownFirst(DATA.labels).map((label) => {
    const mine = DATA.map.entries.filter((e) => e.label === label && fits(e.w));
    return { type: "scatter", mode: "markers", name: asText(label), x: mine.map((e) => squeeze(e.terms[1][0])), y: mine.map((e) => squeeze(e.terms[2][0])), marker: { color: colour(label), symbol: DATA.looks[label][2], size: isLit(label) ? 10 : 5, line: { color: ink("paper"), width: 1 } }, customdata: mine.map((e) => [asText(DATA.workloads[e.w].title + ", " + DATA.workloads[e.w].regime), ...e.terms.map((t) => t[0]), e.verdict]), hovertemplate: "%{customdata[0]}<br>bias %{customdata[1]:.1%}, optimization gap %{customdata[2]:.1%}, variance %{customdata[3]:.1%}<br>high: %{customdata[4]}" };
  });
  const edge = squeeze(high), rule = { line: { color: ink("soft"), width: 1, dash: "dot" }, type: "line" };
  const shapes = [{ ...rule, yref: "paper", y0: 0, y1: 1, x0: edge, x1: edge }, { ...rule, xref: "paper", x0: 0, x1: 1, y0: edge, y1: edge }];
  const axis = (title, [low, top]) => {
    const inside = ticks.filter((t) => t >= low && t <= top);
    return { title: { text: title }, range: [squeeze(low), squeeze(top)], tickvals: inside.map(squeeze), ticktext: inside.map((t) => +(100 * t).toPrecision(3) + "%") };
  };
  return draw(figure, traces, { shapes, xaxis: axis("optimization gap", limits[0]), yaxis: axis("variance (validation − training)", limits[1]) });
};
