// The filter form: keeps what belongs together consistent and says why something cannot be chosen.

import { Combobox } from "./combobox.js";
import { badge, Further } from "./further.js";
import { serviceItems } from "./search.js";
import { t } from "./texts.js";

const NEEDS_SERVICE = ["status", "spread"];

export class Filters {
  constructor(form, { data, change }) {
    this.form = form;
    this.change = change;
    const visible = form.querySelector("#filter-service");
    // The visible field holds words from now on; the key travels in a hidden one.
    this.service = document.createElement("input");
    this.service.type = "hidden";
    this.service.name = "service";
    this.service.value = visible.value.trim();
    this.serviceText = visible;
    visible.removeAttribute("name");
    visible.after(this.service);
    new Combobox(visible, {
      ask: async (query, signal) => [{ items: serviceItems(await data.search(query, signal, "services")) }],
      choose: (item) => this.#setService(item.key),
      clear: () => this.#setService(""),
    });
    this.further = new Further(form);
    form.addEventListener("change", (event) => {
      if (event.target === visible || !this.further.accepts(event.target)) return;
      this.refresh();
      change();
    });
    form.addEventListener("submit", (event) => {
      if (event.submitter?.name !== "as_table") event.preventDefault();
    });
    this.nameServices(data);
  }

  /** Shows a service's name for the key that a link brought along. */
  async nameServices(data) {
    const key = this.service.value;
    this.serviceText.value = key;
    if (!key) return;
    const list = await data.services().catch(() => null);
    const found = list?.services.find((item) => item.key === key);
    if (found && this.service.value === key) this.serviceText.value = found.label;
  }

  #setService(key) {
    if (key === this.service.value) return;
    this.service.value = key;
    this.several = false;
    this.refresh();
    this.change();
  }

  /** several: a link may name more services than the field shows. */
  setService(key, data, several = false) {
    this.several = several;
    if (this.service.value !== key) {
      this.service.value = key;
      this.nameServices(data);
    }
    this.refresh();
  }

  /** Disables what the choice does not allow, with the reason beside it; falls back to `count`. */
  refresh() {
    const single = this.service.value !== "";
    const one = single && !this.several;
    const level = this.form.elements.namedItem("level").value;
    let fallback = false;
    for (const radio of this.form.querySelectorAll("input[name=measure]")) {
      let reason = "";
      if (NEEDS_SERVICE.includes(radio.value) && !one) reason = t("needs_service");
      else if (radio.value === "spread" && level === "municipalities") reason = t("not_for_municipalities");
      radio.disabled = reason !== "";
      this.#note(`measure-${radio.value}-note`, reason);
      fallback ||= radio.checked && radio.disabled;
    }
    if (fallback) this.form.querySelector("input[name=measure][value=count]").checked = true;
    const subjects = this.form.querySelector("#filter-subjects");
    subjects.disabled = single;
    this.#note("subjects-note", single ? t("only_service") : "");
    const status = this.form.querySelector("input[name=measure]:checked")?.value === "status";
    this.#note("status-note", status ? t("dims") : "");
    const chosen = subjects.querySelectorAll("input:checked").length;
    badge(this.form.querySelector("#subjects-count"), single ? 0 : chosen);
    this.further.refresh(single);
  }

  #note(id, text) {
    const note = document.getElementById(id);
    if (!note) return;
    note.textContent = text;
    note.hidden = !text;
  }
}
