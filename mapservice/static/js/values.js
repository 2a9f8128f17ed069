// What an area's numbers mean: its value, its class, and the words for it.

import { number, percent, t } from "./texts.js";

const STATUS_CODES = { 1: "online", 2: "in_progress", 3: "planned", 4: "open" };

/** Reads one answer of /api/values: `at(index)` gives {outside}, {reason} or {n, of, value, class}. */
export class Values {
  constructor(answer, state) {
    this.answer = answer;
    this.state = state;
    this.cache = new Array(answer.n.length);
    const wanted = new Set(state.status);
    // With the measure status the parameter status only dims others; untouched it dims nothing.
    this.dims = answer.measure === "status" && state.statusChosen ? wanted : null;
  }

  at(index) {
    return (this.cache[index] ??= this.#read(index));
  }

  #read(index) {
    const { n: numerators, of: denominators, measure, classes, reasons } = this.answer;
    const n = numerators[index];
    if (n === null || n === undefined) return { outside: true };
    if (n < 0) return { reason: reasons[n] };
    const of = denominators[index];
    const ratio = measure === "share" || measure === "spread";
    if (ratio && !of) return { reason: "not_responsible" };
    const value = ratio ? n / of : n;
    // Classes come lowest first: the last one that starts at or below the value holds it.
    const found = classes.findLast((entry) => entry.from <= value);
    return { n, of, value, class: found };
  }

  fill(index) {
    const read = this.at(index);
    if (read.outside) return {};
    if (read.reason) return { reason: read.reason };
    return { colour: read.class?.colour, dimmed: this.dims ? !this.dims.has(STATUS_CODES[read.n]) : false };
  }

  /** The value of an area in words. */
  describe(index) {
    const read = this.at(index);
    if (read.outside) return t("outside");
    if (read.reason) return t(`${read.reason}_long`);
    const status = this.state.status.map((code) => t(code)).join(", ");
    const words = { n: number(read.n), of: number(read.of), status, share: percent(read.value) };
    switch (this.answer.measure) {
      case "share":
        return t("share_of", words);
      case "spread":
        return t("spread_of", words);
      case "status":
        return t("status_value", { status: t(STATUS_CODES[read.n] ?? "open") });
      default:
        return t("of_services", words);
    }
  }

  /** Areas per class and per reason. */
  counts() {
    const classes = new Map();
    const reasons = new Map();
    for (let index = 0; index < this.answer.n.length; index += 1) {
      const read = this.at(index);
      if (read.outside) continue;
      if (read.reason) reasons.set(read.reason, (reasons.get(read.reason) ?? 0) + 1);
      else if (read.class) classes.set(read.class.class, (classes.get(read.class.class) ?? 0) + 1);
    }
    return { classes, reasons };
  }
}
