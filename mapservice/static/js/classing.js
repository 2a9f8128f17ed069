// How values are put into classes: fields that stand in the legend and belong to the filter form.

import { wrongBreaks } from "./state.js";
import { t } from "./texts.js";

const NUMBERED = ["equal", "quantile", "natural"];

export class Classing {
  /** change(): the form holds a choice that can be shown. */
  constructor(root, form, change) {
    this.root = root;
    this.form = form;
    this.summary = root.querySelector("#classing-summary");
    this.error = root.querySelector("#breaks-error");
    [this.method, this.number, this.breaks] = ["method", "classes", "breaks"].map((name) =>
      form.elements.namedItem(name),
    );
    // They stand outside the form: its own listener does not hear them.
    root.addEventListener("change", () => this.#changed(change));
    this.breaks.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#changed(change);
    });
  }

  #changed(change) {
    this.refresh();
    const wrong = this.method.value === "own" && wrongBreaks(this.breaks.value, this.#measure());
    if (!wrong) change();
    else if (wrong === "breaks_missing") this.breaks.focus();
    else this.#say(wrong);
  }

  #measure() {
    return this.form.querySelector("input[name=measure]:checked")?.value ?? "count";
  }

  #say(wrong) {
    this.error.textContent = wrong ? t(wrong) : "";
    this.error.hidden = !wrong;
    this.breaks.setAttribute("aria-invalid", String(Boolean(wrong)));
  }

  /** Shows the fields that the method needs. A status has classes of its own. */
  refresh() {
    const method = this.method.value;
    this.root.querySelector("#classing-number").hidden = !NUMBERED.includes(method);
    this.root.querySelector("#classing-breaks").hidden = method !== "own";
    this.root.hidden = this.#measure() === "status";
    this.summary.textContent = t("classing", { method: this.method.selectedOptions[0]?.textContent ?? "" });
    this.#say("");
  }
}
