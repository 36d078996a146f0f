// Boards of the report: pairs as a matrix and a table.
"use strict";
const VERDICTS = { worse: 0, open: 1, equal: 2, better: 3 };
const board = () => DATA.boards[Number(CHOICE.board)];
const pairsOf = (b, label) => b.pairs.filter((p) => !label || b.labels[p[0]] === label || b.labels[p[1]] === label);

DRAWINGS.pairs = function drawPairs(figure) {
  const b = board();
  if (!b) return undefined;
  const n = b.labels.length;
  const z = b.labels.map(() => Array(n).fill(null)), text = b.labels.map(() => Array(n).fill(""));
  const marks = { worse: "<", open: "·", equal: "=", better: ">" };
  for (const [i, j, verdict, difference, interval, p, pEqual, needs] of b.pairs) {
    const more = needs ? "<br>to decide: " + needs : "";
    const hover = `${asText(b.labels[i])} against ${asText(b.labels[j])}: ${verdict}<br>${difference} (${interval})<br>p ${p}, p equal ${pEqual}${more}`;
    z[i][j] = VERDICTS[verdict];
    z[j][i] = VERDICTS[verdict === "better" ? "worse" : verdict];
    text[i][j] = text[j][i] = hover;
  }
  const shown = n <= 20 ? z.map((row) => row.map((v) => (v === null ? "" : marks[Object.keys(VERDICTS)[v]]))) : undefined;
  const side = n <= 12 ? 34 : n <= 24 ? 22 : 15;
  figure.style.maxWidth = 260 + 2.2 * side * n + "px";
  figure.querySelector(".plot").style.height = 150 + side * n + "px";
  const colours = ["#e9a15b", ink("panel"), "#9aa5b1", "#3f83c4"];
  const colorscale = colours.flatMap((c, k) => [[k / 4, c], [(k + 1) / 4, c]]);
  const trace = { type: "heatmap", x: b.labels.map((_, i) => i), y: b.labels.map((_, i) => i), z, zmin: -0.5, zmax: 3.5, colorscale, xgap: 1, ygap: 1, hovertext: text, hovertemplate: "%{hovertext}<extra></extra>", ...(shown ? { text: shown, texttemplate: "%{text}", textfont: { size: 13 } } : {}), colorbar: { tickvals: [0, 1, 2, 3], ticktext: ["worse", "open", "equal", "better"], thickness: 12, len: 1, outlinewidth: 0, tickfont: { color: ink("ink") } } };
  const names = { tickvals: b.labels.map((_, i) => i), ticktext: b.labels.map(brief), tickfont: { size: n > 24 ? 9 : 11 } };
  return draw(figure, [trace], { xaxis: { ...names, side: "top", tickangle: -60 }, yaxis: { ...names, autorange: "reversed" }, margin: { l: 60, r: 12, t: 90, b: 10 } });
};

function fillPairTable() {
  const b = board(), table = document.getElementById("pair-table");
  if (!b || !table) return;
  const rows = pairsOf(b, CHOICE.of).filter((p) => isOn(b.labels[p[0]]) && isOn(b.labels[p[1]]));
  table.tBodies[0].replaceChildren(...rows.map(([i, j, verdict, ...texts]) => {
    const tr = document.createElement("tr");
    tr.className = verdict;
    for (const text of [b.labels[i], b.labels[j], verdict, ...texts]) tr.insertCell().textContent = text;
    return tr;
  }));
}
