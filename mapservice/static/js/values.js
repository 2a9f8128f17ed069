// What an area's numbers mean: its value, its class, and the words for it.

import { onDark } from "./colours.js";
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
    this.picked = new Set();
    this.restyle();
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

  /** Takes over the present theme. */
  restyle() {
    this.colour = onDark() ? "dark" : "colour";
  }

  /** Raises the areas of these classes and reasons; of none: all. */
  pick(codes) {
    this.picked = new Set(codes);
  }

  fill(index) {
    const read = this.at(index);
    if (read.outside) return {};
    const code = read.reason ?? read.class?.class;
    const passed = this.picked.size > 0 && !this.picked.has(code);
    if (read.reason) return { reason: read.reason, passed };
    const dimmed = Boolean(this.dims && !this.dims.has(STATUS_CODES[read.n]));
    return { colour: read.class?.[this.colour], dimmed, passed };
  }

  /** An area's place among those shown, the highest value first; equal values share one. Null without a value. */
  rank(index) {
    const { value } = this.at(index);
    if (value === undefined || this.answer.measure === "status") return null;
    this.sorted ??= this.answer.n
      .map((_, place) => this.at(place).value)
      .filter((known) => known !== undefined)
      .sort((a, b) => b - a);
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle] > value) low = middle + 1;
      else high = middle;
    }
    return { rank: low + 1, of: this.sorted.length };
  }

  /** The rank in words, empty where there is none. */
  describeRank(index) {
    const found = this.rank(index);
    if (!found) return "";
    return t("rank", { rank: number(found.rank), of: number(found.of), where: this.answer.where });
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
    let outside = 0;
    for (let index = 0; index < this.answer.n.length; index += 1) {
      const read = this.at(index);
      if (read.outside) outside += 1;
      else if (read.reason) reasons.set(read.reason, (reasons.get(read.reason) ?? 0) + 1);
      else if (read.class) classes.set(read.class.class, (classes.get(read.class.class) ?? 0) + 1);
    }
    return { classes, reasons, outside };
  }
}
