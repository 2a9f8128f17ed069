// Combobox after the ARIA authoring practices: list with filter, one choice, arrows, Enter, Escape.

import { element, t } from "./texts.js";

const LIMIT = 12;

/** Lower case without accents and umlaut dots; ß as ss: "muenster" is tried as it is, too. */
export function fold(text) {
  return text.toLowerCase().replaceAll("ß", "ss").normalize("NFD").replace(/\p{M}/gu, "");
}

const spelled = (text) => fold(text.toLowerCase().replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue"));

/** Items {key, label, hint} that match all words, those first whose label starts with the query. */
export function match(items, query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  for (const item of items) {
    item.folded ??= `${fold(item.label)} ${spelled(item.label)} ${item.key}`;
    if (!words.every((word) => item.folded.includes(word))) continue;
    const rank = item.folded.startsWith(words[0]) ? 0 : item.folded.includes(` ${words[0]}`) ? 1 : 2;
    found.push([rank, item]);
  }
  return found.sort((a, b) => a[0] - b[0] || a[1].label.length - b[1].label.length).map(([, item]) => item);
}

export class Combobox {
  /** input: the text field; items: function that gives (a promise of) all items; choose: called with one. */
  constructor(input, { items, choose, clear }) {
    this.input = input;
    this.items = items;
    this.choose = choose;
    this.clear = clear ?? (() => {});
    this.active = -1;
    this.list = element("ul", "combobox__list");
    this.list.id = `${input.id}-list`;
    this.list.role = "listbox";
    this.list.hidden = true;
    this.list.setAttribute("aria-label", input.labels[0]?.textContent.trim() ?? "");
    this.status = element("div", "kern-sr-only");
    this.status.role = "status";
    input.after(this.list, this.status);
    input.removeAttribute("list");
    input.autocomplete = "off";
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
    })) input.setAttribute(name, value);
    input.addEventListener("input", () => this.#suggest());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#take(Number(option.dataset.index));
    });
  }

  async #suggest() {
    const query = this.input.value.trim();
    if (!query) {
      this.#close();
      this.clear();
      return;
    }
    let all;
    try {
      all = match(await this.items(), query);
    } catch {
      this.#show([], t("failed"));
      return;
    }
    if (query === this.input.value.trim()) {
      this.#show(all.slice(0, LIMIT), all.length ? t("matches", { n: all.length }) : t("no_match", { query }));
    }
  }

  #show(found, message) {
    this.found = found;
    this.active = -1;
    this.list.replaceChildren(
      ...found.map((item, index) => {
        const option = element("li", "combobox__option");
        option.role = "option";
        option.id = `${this.list.id}-${index}`;
        option.dataset.index = index;
        option.setAttribute("aria-selected", "false");
        option.append(element("span", "combobox__label", item.label));
        if (item.hint) option.append(element("span", "combobox__hint", item.hint));
        return option;
      }),
    );
    if (!found.length) {
      const nothing = element("li", "combobox__option combobox__option--none", message);
      nothing.role = "option";
      nothing.setAttribute("aria-disabled", "true");
      this.list.append(nothing);
    }
    this.status.textContent = message;
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
  }

  #move(step) {
    if (!this.found?.length) return;
    this.active = (this.active + step + this.found.length) % this.found.length;
    [...this.list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.active));
      if (index === this.active) option.scrollIntoView({ block: "nearest" });
    });
    this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
  }

  #key(event) {
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) this.#suggest();
      else this.#move(event.key === "ArrowDown" ? 1 : this.active < 0 ? 0 : -1);
    } else if (event.key === "Enter") {
      // Never submits the form: without a choice the best match is taken.
      event.preventDefault();
      if (open && this.found.length) this.#take(Math.max(this.active, 0));
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.#close();
    }
  }

  #take(index) {
    const item = this.found[index];
    this.input.value = item.label;
    this.#close();
    this.choose(item);
  }

  #close() {
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
