// The panel of one area: who it is, its value, what it offers itself and what those above add.

import { date, element, inLanguage, number, outwardLink, t } from "./texts.js";

const SHOWN = 6;
const SHOWN_STATUS = new Set(["online", "in_progress", "planned"]);
const FEDERATION = "000000000000";

export class Panel {
  constructor(root, urls, close) {
    this.root = root;
    this.urls = urls;
    this.close = close;
    this.body = root.querySelector("#panel-body");
    this.heading = root.querySelector("#panel-heading");
    this.subline = root.querySelector("#panel-subline");
    root.querySelector("#panel-close").addEventListener("click", () => this.close());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  /**
   * Shows the area of a key (empty: hides); `value` is its value in words, `load` fetches the rest, and
   * `drop` may take care of an error.
   */
  async show(ars, properties, value, state, load, drop) {
    if (!ars) {
      if (!this.root.hidden && this.root.contains(document.activeElement)) {
        document.getElementById("map_ozg")?.focus({ preventScroll: true });
      }
      this.root.hidden = true;
      this.ars = "";
      return;
    }
    const opened = this.ars !== ars;
    this.ars = ars;
    this.root.hidden = false;
    if (opened) {
      this.heading.textContent = properties?.name ?? "";
      this.subline.textContent = properties?.designation ?? "";
      this.body.replaceChildren(element("p", "kern-body", t("panel_loading", { name: properties?.name ?? ars })));
      this.body.scrollTop = 0;
      this.heading.focus({ preventScroll: true });
    }
    let area;
    try {
      area = await load();
    } catch (error) {
      if (error.name !== "AbortError" && this.ars === ars && !drop(error)) this.#fail(ars, value, error);
      return;
    }
    if (this.ars === ars) this.#fill(area, value, state);
  }

  #fill(area, value, state) {
    const [self, ...above] = area.chain;
    this.heading.textContent = area.name;
    const names = above.filter((row) => row.ars !== FEDERATION).map((row) => row.name);
    this.subline.textContent = [area.designation, ...names].filter(Boolean).join(" · ");
    const chosen = area.implementations.filter(
      (entry) =>
        (!state.subject.length || state.service.length || state.subject.includes(entry.subject)) &&
        (!state.service.length || state.service.includes(entry.service) || state.service.includes(entry.bundle)),
    );
    const offered = chosen.filter((entry) => SHOWN_STATUS.has(entry.status));
    const own = offered.filter((entry) => entry.authority === self?.ars);
    const others = offered.filter((entry) => entry.authority !== self?.ars);
    const known = area.implementations.some((entry) => entry.authority === self?.ars);
    const parts = [];
    if (value && (known || state.scope === "available")) parts.push(element("p", "panel__value", value));
    if (!self) parts.push(element("p", "kern-body", t("unincorporated_long")));
    else if (!known) parts.push(element("p", "kern-body", t("panel_empty")));
    else {
      const counts = ownCounts(area, state);
      if (counts) parts.push(this.#counts(counts));
      if (!own.length) parts.push(element("p", "kern-body", t("panel_nothing")));
    }
    parts.push(...this.#groups(t("own_heading"), own, area, false));
    parts.push(...this.#groups(t("above_heading"), others, area, true));
    if (self) parts.push(this.#contact(area.authority, !known));
    parts.push(this.#pageLink(self?.ars ?? area.ars));
    this.body.replaceChildren(...parts.filter(Boolean));
  }

  #counts(counts) {
    const list = element("dl", "panel__counts");
    for (const code of SHOWN_STATUS) {
      const item = element("div", `panel__count panel__count--${code}`);
      item.append(element("dt", "", t(code)), element("dd", "", number(counts[code])));
      list.append(item);
    }
    return list;
  }

  /** Entries under one heading, by subject area. */
  #groups(heading, entries, area, foreign) {
    if (!entries.length) return [];
    const parts = [element("h3", "panel__group", heading)];
    const names = new Map(area.subjects.own.map(({ slug, name }) => [slug, name]));
    for (const [slug, name] of [...names, [null, t("no_subject")]]) {
      const found = entries.filter((entry) => (names.has(entry.subject) ? entry.subject : null) === slug);
      if (found.length) parts.push(this.#subject(name, found, foreign));
    }
    return parts;
  }

  #subject(name, entries, foreign) {
    const details = element("details", "panel__subject");
    const summary = element("summary", "", name);
    summary.append(element("span", "panel__number", number(entries.length)));
    const list = element("ul", "panel__entries");
    for (const entry of entries.slice(0, SHOWN)) list.append(this.#entry(entry, foreign));
    details.append(summary, list);
    if (entries.length > SHOWN) details.append(element("p", "kern-body kern-body--small", t("more", { n: number(entries.length - SHOWN) })));
    return details;
  }

  #entry(entry, foreign) {
    const item = element("li", "panel__entry");
    const link = entry.status === "online" && entry.url ? outwardLink(entry.url, entry.service_name) : null;
    if (link) link.title = t("open_service");
    item.append(link ?? element("span", "", entry.service_name));
    const words = [t(entry.status)];
    if (foreign) words.push(entry.authority_name);
    if (entry.as_of) words.push(t("as_of", { date: date(entry.as_of) }));
    item.append(element("span", `panel__meta panel__meta--${entry.status}`, words.join(" · ")));
    return item;
  }

  #contact(area, empty) {
    const links = [
      area.service_portal && outwardLink(area.service_portal, t("service_portal", { name: area.name })),
      area.website && outwardLink(area.website, t("website", { name: area.name })),
    ].filter(Boolean);
    if (!links.length) return empty ? element("p", "kern-body", t("no_website")) : null;
    const list = element("ul", "panel__links");
    for (const link of links) {
      const item = element("li");
      item.append(link);
      list.append(item);
    }
    return list;
  }

  #pageLink(ars) {
    const link = element("a", "kern-btn kern-btn--secondary panel__page");
    link.href = inLanguage(`${this.urls.area_page}${ars}`);
    link.append(element("span", "kern-label", t("panel_page")));
    return link;
  }

  #fail(ars, value, error) {
    this.body.replaceChildren(
      ...[
        value && element("p", "panel__value", value),
        element("p", "kern-body", t("failed")),
        element("p", "kern-body", error.message || t("failed_hint")),
        this.#pageLink(ars),
      ].filter(Boolean),
    );
  }
}

/** OZG services by status as the server counts them: entries are more, as LeiKa services count in their bundle. */
function ownCounts(area, state) {
  if (state.service.length || state.situation.length) return null;
  const chosen = state.subject.length
    ? area.subjects.own.filter((row) => state.subject.includes(row.slug))
    : [area.counts.own];
  const known = chosen.filter((row) => !row.reason);
  if (!known.length) return null;
  const sum = (code) => known.reduce((total, row) => total + row[code], 0);
  return Object.fromEntries([...SHOWN_STATUS].map((code) => [code, sum(code)]));
}
