// Numbers beside subject areas and life situations: how many services a choice would show. Asked for only
// while a list is open, and after the map has its colours.

import { toParams } from "./state.js";
import { number, t } from "./texts.js";

export class Facets {
  constructor(form, data) {
    this.form = form;
    this.data = data;
    this.folds = [...form.querySelectorAll("details[data-facets]")];
    for (const fold of this.folds) fold.addEventListener("toggle", () => this.state && this.show(this.state));
  }

  async show(state) {
    this.state = state;
    if (!this.folds.some((fold) => fold.open)) return;
    // The choice of services and what is shown of it have no part in the numbers.
    const params = toParams({ ...state, subject: [], situation: [], service: [], measure: "count" }, { page: false });
    params.delete("lang");
    for (const name of ["method", "classes", "breaks", "class"]) params.delete(name);
    const key = `${state.level}?${params}`;
    if (key === this.shown) return;
    const found = await this.data.facets(key).catch(() => null);
    if (this.state !== state) return;
    this.shown = found ? key : null;
    for (const span of this.form.querySelectorAll("[data-facet]")) {
      const [parameter, id] = split(span.dataset.facet);
      const facet = found?.[`${parameter}s`][id];
      span.hidden = !facet?.of;
      span.textContent = facet?.of ? t("facet", { n: number(facet.n), of: number(facet.of) }) : "";
      span.closest("label").classList.toggle("choice--empty", facet?.n === 0);
    }
    this.form.querySelector("#facets-hint").hidden = !found;
  }
}

function split(text) {
  const at = text.indexOf("-");
  return [text.slice(0, at), text.slice(at + 1)];
}
