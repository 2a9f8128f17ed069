// Title, result line, legend and sources: what the map shows, of when, and from whom.

import { date, element, number, outwardLink, t } from "./texts.js";

const REASONS = ["no_data", "not_responsible", "unincorporated"];

export class Legend {
  constructor(root) {
    this.title = root.querySelector("#map-title");
    this.result = root.querySelector("#map-result");
    this.list = root.querySelector("#legend-list");
    this.sources = root.querySelector("#map-sources");
    this.demonstration = document.getElementById("demonstration");
    // On a small screen the map needs the room; one tap shows the legend.
    const small = matchMedia("(max-width: 61.99rem) and (max-height: 44rem)").matches;
    if (small) root.querySelector("#legend-fold").open = false;
  }

  show(values) {
    const { answer } = values;
    const counts = values.counts();
    this.#showTitle(answer.title);
    document.title = `${answer.title} – ${document.documentElement.dataset.site}`;
    const parts = [answer.result];
    if (answer.data_as_of) parts.push(`${t("as_of", { date: date(answer.data_as_of) })}.`);
    // A status region: screen readers say the new sentence when they have finished the present one.
    this.result.textContent = parts.join(" ");
    const entries = answer.classes.map((entry) => this.#entry(entry, counts.classes.get(entry.class) ?? 0));
    for (const reason of REASONS) {
      const count = counts.reasons.get(reason);
      if (count) entries.push(this.#entry({ label: t(reason), reason }, count));
    }
    this.list.replaceChildren(...entries);
    this.#showSources(answer);
    if (this.demonstration) this.demonstration.hidden = !answer.demonstration;
  }

  /** "What – whose": the second part on a line of its own. */
  #showTitle(title) {
    const [what, ...whose] = title.split(" – ");
    this.title.replaceChildren(element("span", "map-title__what", what));
    if (!whose.length) return;
    this.title.append(
      element("span", "kern-sr-only", " – "),
      element("span", "map-title__whose", whose.join(" – ")),
    );
  }

  #entry({ label, colour, reason }, count) {
    const item = element("li", "legend__item");
    const swatch = element("span", `legend__swatch${reason ? ` legend__swatch--${reason}` : ""}`);
    if (colour) swatch.style.backgroundColor = colour;
    swatch.ariaHidden = "true";
    item.append(swatch, element("span", "legend__label", label), element("span", "legend__count", number(count)));
    return item;
  }

  #showSources(answer) {
    const link = answer.attribution_url && outwardLink(answer.attribution_url, answer.attribution);
    this.sources.replaceChildren(link || element("span", "", answer.attribution ?? ""));
  }
}
