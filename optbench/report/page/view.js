// The view in the address: filters, picks, axes and scales. It can be shared, and the back button
// returns to the one before. Values that the report does not have are ignored.
"use strict";
const VIEW = {
  mark: "#view",
  filters: ["regime", "dataset", "init", "network"],
  switches: ["logx", "logy", "bands"],
  choices: { axis: AXIS_NAMES, quantity: QUANTITY_NAMES, board: DATA.boards, slope: DATA.slopes },

  // the address of the current choices; empty if they are those of a fresh page
  address() {
    const view = new URLSearchParams();
    for (const key of this.filters) if (CHOICE.filter[key]) view.append(key, CHOICE.filter[key]);
    for (const label of DATA.labels) {
      const [start, now] = [START.off.has(label), CHOICE.off.has(label)];
      if (start !== now) view.append(now ? "off" : "on", label);
    }
    for (const key of ["of", ...Object.keys(this.choices)]) if (CHOICE[key] !== START[key]) view.append(key, CHOICE[key]);
    for (const key of this.switches) if (!CHOICE[key]) view.append("without", key);
    const text = view.toString();
    return text && this.mark + "?" + text;
  },
  // a new entry of the history, or a correction of the current one
  write(correct = false) {
    const now = location.hash.startsWith(this.mark) ? location.hash : "", address = this.address();
    if (address === now || (!address && now === this.mark)) return;
    history[correct ? "replaceState" : "pushState"](null, "", address || this.mark);
  },
  read() {
    const hash = location.hash;
    if (hash && !hash.startsWith(this.mark)) return; // a link to a section leaves the view alone
    const view = new URLSearchParams(hash.slice(this.mark.length));
    const known = (key) => view.getAll(key).filter((label) => DATA.labels.includes(label));
    Object.assign(CHOICE, START, { filter: {}, off: new Set([...START.off, ...known("off")]) });
    for (const key of this.filters) if (DATA.workloads.some((w) => w[key] === view.get(key))) CHOICE.filter[key] = view.get(key);
    known("on").forEach((label) => CHOICE.off.delete(label));
    CHOICE.of = view.getAll("of").includes("") ? "" : known("of")[0] ?? CHOICE.of;
    for (const [key, names] of Object.entries(this.choices)) {
      const value = view.get(key) ?? "";
      if (Object.hasOwn(names, value) && value !== "length") CHOICE[key] = value;
    }
    for (const key of this.switches) CHOICE[key] = !view.getAll("without").includes(key);
  },
};
