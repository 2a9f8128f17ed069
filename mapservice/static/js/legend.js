// Title, result line, legend and sources: what the map shows, of when, and from whom.

import { toAddress } from "./state.js";
import { date, element, number, outwardLink, t } from "./texts.js";

const REASONS = ["no_data", "not_responsible", "unincorporated"];

export class Legend {
  /** pick(codes): raise the areas of these classes. */
  constructor(root, urls, pick) {
    this.urls = urls;
    this.pick = pick;
    this.note = root.querySelector("#legend-note");
    this.picked = root.querySelector("#legend-picked");
    this.asTable = root.querySelector("#legend-table");
    root.querySelector("#legend-all").addEventListener("click", () => {
      pick([]);
      this.list.querySelector("button")?.focus();
    });
    this.title = root.querySelector("#map-title");
    this.result = root.querySelector("#map-result");
    this.list = root.querySelector("#legend-list");
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.#toggle(button);
    });
    root.querySelector(".legend").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.codes.length) pick([]);
    });
    this.codes = [];
    this.sources = root.querySelector("#map-sources");
    this.demonstration = document.getElementById("demonstration");
    // On a small screen the map needs the room; one tap shows the legend.
    const small = matchMedia("(max-width: 61.99rem) and (max-height: 44rem)").matches;
    if (small) root.querySelector("#legend-fold").open = false;
  }

  /** Classes may be gone that a link, or the filter before, had picked out: returns those that are left. */
  show(values, codes) {
    const { answer } = values;
    const counts = values.counts();
    this.#showTitle(answer.title);
    document.title = `${answer.title} – ${document.documentElement.dataset.site}`;
    const parts = [answer.result];
    if (answer.data_as_of) parts.push(`${t("as_of", { date: date(answer.data_as_of) })}.`);
    // A status region: screen readers say the new sentence when they have finished the present one.
    this.result.textContent = parts.join(" ");
    const entries = answer.classes.map((entry) => ({ ...entry, colour: entry[values.colour], code: entry.class, count: counts.classes.get(entry.class) ?? 0 }));
    for (const reason of REASONS) {
      const count = counts.reasons.get(reason);
      if (count) entries.push({ code: reason, label: t(reason), reason, count });
    }
    this.entries = new Map(entries.map((entry) => [entry.code, entry]));
    this.list.replaceChildren(...entries.map((entry) => this.#entry(entry)));
    if (counts.outside) this.list.append(outsideEntry());
    this.#showSources(answer);
    if (this.demonstration) this.demonstration.hidden = !answer.demonstration;
    return codes.filter((code) => this.entries.get(code)?.count);
  }

  /** Presses the buttons of the picked classes and says how many areas they hold. */
  showPicked(state) {
    this.codes = state.class;
    for (const button of this.list.querySelectorAll("button")) {
      button.ariaPressed = String(this.codes.includes(button.dataset.code));
    }
    const picked = this.codes.map((code) => this.entries.get(code)).filter(Boolean);
    this.note.hidden = !picked.length;
    const sum = (entries) => [...entries].reduce((total, { count }) => total + count, 0);
    const words = { n: number(sum(picked)), of: number(sum(this.entries.values())) };
    // The element is there before its text: screen readers tell the change.
    const text = picked.length ? t("picked", words) : "";
    if (this.picked.textContent !== text) this.picked.textContent = text;
    this.asTable.href = toAddress({ ...state, area: "" }, this.urls.table);
  }

  #toggle({ dataset: { code } }) {
    this.pick(this.codes.includes(code) ? this.codes.filter((other) => other !== code) : [...this.codes, code]);
  }

  /** "What – whose": the second part on a line of its own. */
  #showTitle(title) {
    const [what, whose = "", ...further] = title.split(" – ");
    this.title.replaceChildren(element("span", "map-title__what", what));
    if (!whose.length) return;
    this.title.append(
      element("span", "kern-sr-only", " – "),
      element("span", "map-title__whose", whose),
      // Which entries count stands in the chips just below.
      element("span", "kern-sr-only", further.map((part) => ` – ${part}`).join("")),
    );
  }

  #entry({ code, label, colour, reason, count }) {
    const item = element("li");
    const button = element("button", "legend__item");
    button.type = "button";
    button.dataset.code = code;
    button.ariaPressed = "false";
    button.disabled = !count;
    const swatch = element("span", `legend__swatch${reason ? ` legend__swatch--${reason}` : ""}`);
    if (colour) swatch.style.backgroundColor = colour;
    swatch.ariaHidden = "true";
    button.append(swatch, element("span", "legend__label", label), element("span", "legend__count", number(count)));
    item.append(button);
    return item;
  }

  #showSources(answer) {
    const link = answer.attribution_url && outwardLink(answer.attribution_url, answer.attribution);
    this.sources.replaceChildren(link || element("span", "", answer.attribution ?? ""));
  }
}

/** Not to be picked: it is no value, and the region is chosen elsewhere. */
function outsideEntry() {
  const item = element("li", "legend__item");
  const swatch = element("span", "legend__swatch legend__swatch--outside");
  swatch.ariaHidden = "true";
  item.append(swatch, element("span", "legend__label", t("outside")));
  return item;
}
