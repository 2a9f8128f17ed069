// The seldom-used filters: life situations with their search, kind of solution, maturity, days.

import { DayField } from "./day-field.js";
import { t } from "./texts.js";

const folded = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/ß/g, "ss");

export class Further {
  constructor(form) {
    this.form = form;
    this.root = form.querySelector("#further");
    this.situations = form.querySelector("#filter-situations");
    this.days = ["confirmed", "stand"].map((name) => new DayField(form, name));
    this.search = form.querySelector("#situation-search");
    this.search.addEventListener("input", () => this.#find());
  }

  /** Whether a change of the form is one to show: a day may be half typed, or not be there yet. */
  accepts(target) {
    if (target === this.search) return false;
    for (const field of this.days) {
      const accepted = field.accepts(target);
      if (accepted !== null) return accepted;
    }
    return true;
  }

  /** excluded: a service is chosen, beside which life situations have no say. */
  refresh(excluded = this.excluded) {
    this.excluded = excluded;
    const { elements } = this.form;
    for (const field of this.days) field.refresh();
    const kinds = this.form.querySelectorAll("input[name=kind]:checked").length;
    const set = Boolean(kinds) + Boolean(elements.namedItem("maturity").value) + (elements.namedItem("confirmed").selectedIndex > 0);
    badge(this.form.querySelector("#further-count"), set);
    this.situations.disabled = excluded;
    const note = this.situations.querySelector("[data-note]");
    note.textContent = excluded ? t("only_service") : "";
    note.hidden = !excluded;
    const chosen = this.situations.querySelectorAll("input[name=situation]:checked").length;
    badge(this.situations.querySelector("[data-badge]"), excluded ? 0 : chosen);
  }

  /** Shows the life situations whose name, or whose subject area's, holds what was typed. */
  #find() {
    const wanted = folded(this.search.value.trim());
    let found = 0;
    for (const group of this.situations.querySelectorAll(".fold--inner")) {
      const whole = folded(group.querySelector("summary").textContent).includes(wanted);
      let shown = 0;
      for (const choice of group.querySelectorAll(".choice")) {
        choice.hidden = !whole && !folded(choice.querySelector(".choice__name").textContent).includes(wanted);
        shown += !choice.hidden;
      }
      group.hidden = !shown;
      group.open = wanted ? shown > 0 : group.querySelector("input:checked") !== null;
      found += shown;
    }
    const text = found ? t("matches", { n: found }) : t("no_match", { query: this.search.value.trim() });
    this.situations.querySelector("#situation-found").textContent = wanted ? text : "";
  }
}

export function badge(element, count) {
  element.textContent = count ? String(count) : "";
  element.hidden = !count;
}
