// The filters that are set, each with a way to take it off again.

import { DEFAULTS, fromAddress } from "./state.js";
import { date, element, t } from "./texts.js";

const NEED_SERVICE = ["status", "spread"];

export class Chips {
  /** change: called with the state without the filter that was taken off. */
  constructor(root, form, data, change) {
    this.root = root;
    this.form = form;
    this.data = data;
    this.change = change;
  }

  async show(state) {
    this.state = state;
    this.#fill(state, new Map());
    if (!state.service.length) return;
    const list = await this.data.services().catch(() => null);
    if (!list || this.state !== state) return;
    this.#fill(state, new Map(list.services.map((item) => [item.key, item.label])));
  }

  #fill(state, services) {
    const items = this.#items(state, services).map(({ label, without }, index) => {
      const chip = this.#button("chip", label, () => this.#take(without, index));
      chip.setAttribute("aria-label", t("remove_filter", { name: label }));
      const mark = element("span", "chip__mark", "×");
      mark.ariaHidden = "true";
      chip.append(mark);
      return chip;
    });
    if (items.length) {
      const start = { ...fromAddress(""), lang: state.lang, level: state.level, area: state.area };
      items.push(this.#button("chip chip--reset", t("reset_filters"), () => this.#take(start, 0)));
    }
    // What has the focus stays: a name that arrives late must not throw the keyboard back to the top.
    const focused = [...this.root.querySelectorAll("button")].indexOf(document.activeElement);
    this.root.replaceChildren(...items.map((chip) => wrap(chip)));
    this.root.hidden = !items.length;
    if (focused >= 0) items[focused]?.focus();
  }

  #items(state, services) {
    const items = [];
    const names = {
      within: (key) => this.#option(key),
      service: (key) => services.get(key) ?? key,
      subject: (slug) => this.#label(`subject-${slug}`),
      situation: (id) => this.#label(`situation-${id}`),
      kind: (code) => this.#label(`kind-${code}`),
    };
    for (const [name, label] of Object.entries(names)) {
      for (const value of state[name]) {
        const without = { ...state, [name]: state[name].filter((other) => other !== value) };
        if (name === "service" && NEED_SERVICE.includes(state.measure)) without.measure = DEFAULTS.measure;
        items.push({ label: label(value), without });
      }
    }
    if (state.maturity) {
      const [model, step] = state.maturity.split(":");
      items.push({ label: t("chip_maturity", { model, step }), without: { ...state, maturity: "" } });
    }
    if (state.confirmed) {
      items.push({ label: t("chip_confirmed", { date: date(state.confirmed) }), without: { ...state, confirmed: "" } });
    }
    if (state.stand) {
      items.push({ label: t("chip_stand", { date: date(state.stand) }), without: { ...state, stand: "" } });
    }
    if (state.measure !== DEFAULTS.measure) {
      items.push({ label: this.#label(`measure-${state.measure}`), without: { ...state, measure: DEFAULTS.measure } });
    }
    if (state.scope !== DEFAULTS.scope) {
      items.push({ label: t("chip_available"), without: { ...state, scope: DEFAULTS.scope } });
    }
    if (state.status.join() !== "online") {
      const names = state.status.map((code) => t(code)).join(", ");
      items.push({ label: t("chip_status", { names }), without: { ...state, status: ["online"] } });
    }
    return items;
  }

  #button(className, label, act) {
    const button = element("button", className);
    button.append(element("span", "chip__label", label));
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  /** After a chip the next one has the focus, after the last one the title that says what is left. */
  #take(state, index) {
    this.change(state);
    const left = this.root.querySelectorAll("button");
    (left[Math.min(index, left.length - 2)] ?? document.getElementById("map-title")).focus();
  }

  #label(id) {
    const label = this.form.querySelector(`label[for="${CSS.escape(id)}"]`);
    return (label?.querySelector(".choice__name") ?? label)?.textContent.trim() ?? id;
  }

  #option(key) {
    const option = this.form.elements.namedItem("within").querySelector(`option[value="${CSS.escape(key)}"]`);
    return option?.closest("optgroup")?.querySelector("option") === option
      ? option?.dataset.name ?? key
      : option?.textContent.trim() ?? key;
  }
}

function wrap(button) {
  const item = element("li");
  item.append(button);
  return item;
}
