// The panel of one area. Its body is a piece of the area's page: one template, so that both say the same.

import { element, inLanguage, t } from "./texts.js";

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
   * Shows the area of a key (empty: hides). `where`: its place in words; `value`: its value, for when the rest
   * fails; `load` fetches the body as HTML with the area's name, and `drop` may take care of an error.
   */
  async show(ars, properties, where, value, load, drop) {
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
      this.#head(properties?.name ?? "", where);
      const loading = element("p", "kern-body", t("panel_loading", { name: properties?.name ?? ars }));
      loading.role = "status";
      this.body.replaceChildren(loading);
      this.body.scrollTop = 0;
      this.heading.focus({ preventScroll: true });
    }
    let html;
    this.root.ariaBusy = "true";
    try {
      html = await load();
    } catch (error) {
      if (error.name !== "AbortError" && this.ars === ars && !drop(error)) this.#fail(ars, value, error);
      return;
    }
    if (this.ars !== ars) return;
    this.root.ariaBusy = "false";
    this.#fill(html, { keep: !opened });
  }

  #head(name, where) {
    this.heading.textContent = name;
    this.subline.textContent = where;
  }

  /** The server's own page, escaped there: parsed without running anything, and put in as nodes. */
  #fill(html, { keep }) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const content = parsed.getElementById("panel-content");
    this.#head(content.dataset.name, content.dataset.where);
    const open = keep ? [...this.body.querySelectorAll("details[open]")].map((fold) => fold.dataset.key) : [];
    this.body.replaceChildren(...content.childNodes);
    for (const fold of this.body.querySelectorAll("details")) if (open.includes(fold.dataset.key)) fold.open = true;
  }

  #fail(ars, value, error) {
    this.root.ariaBusy = "false";
    const link = element("a", "kern-btn kern-btn--secondary panel__page");
    link.href = inLanguage(`${this.urls.area_page}${ars}`);
    link.append(element("span", "kern-label", t("panel_page")));
    this.body.replaceChildren(
      ...[
        value && element("p", "standing__value", value),
        element("p", "kern-body", t("failed")),
        element("p", "kern-body", error.message || t("failed_hint")),
        link,
      ].filter(Boolean),
    );
  }
}
