// Combobox after the ARIA authoring practices: list autocomplete, one choice, arrows, Enter, Escape. The server
// searches; what matches is marked here.

import { element, t } from "./texts.js";

const PAUSE = 120;

/** As the server folds texts: ä, ae and a are one, ß is ss; `at` says where in the text each letter stands. */
function fold(text) {
  const letters = [];
  const at = [];
  let umlaut = false;
  for (let index = 0; index < text.length; index += 1) {
    const plain = text[index].toLowerCase().replace("ß", "ss").normalize("NFD").replace(/\p{M}/gu, "");
    const merged = plain === "e" && umlaut;
    umlaut = /[aou]$/.test(plain);
    if (merged) continue;
    for (const letter of plain) {
      letters.push(letter);
      at.push(index);
    }
  }
  return { letters: letters.join(""), at };
}

/** The text as nodes, with the beginnings of words that the query names in <mark>. */
function marked(text, query) {
  const { letters, at } = fold(text);
  const wanted = fold(query).letters.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const spans = [];
  for (const word of wanted) {
    let found = letters.indexOf(word);
    while (found > 0 && /[\p{L}\p{N}]/u.test(letters[found - 1])) found = letters.indexOf(word, found + 1);
    if (found < 0) found = word.length > 2 ? letters.indexOf(word) : -1;
    if (found >= 0) spans.push([at[found], at[found + word.length] ?? text.length]);
  }
  spans.sort((one, other) => one[0] - other[0]);
  const nodes = [];
  let done = 0;
  for (const [from, to] of spans) {
    if (from < done) continue;
    nodes.push(text.slice(done, from), element("mark", "combobox__mark", text.slice(from, to)));
    done = to;
  }
  return [...nodes, text.slice(done)].filter(Boolean);
}

export class Combobox {
  /**
   * input: the text field; ask(query, signal): a promise of groups {label, items}, items as {label, hint, …};
   * choose: called with an item; clear: called once the field is empty.
   */
  constructor(input, { ask, choose, clear }) {
    this.input = input;
    this.ask = ask;
    this.choose = choose;
    this.clear = clear ?? (() => {});
    this.active = -1;
    this.found = [];
    this.list = element("div", "combobox__list");
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
    input.addEventListener("input", () => this.#wait());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option?.dataset.index) this.#take(Number(option.dataset.index));
    });
  }

  /** Asks after a pause in typing. */
  #wait() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.taking = false;
    // What is still shown answers another question.
    this.answered = null;
    if (!this.input.value.trim()) {
      this.#close();
      this.clear();
      return;
    }
    this.timer = setTimeout(() => this.#suggest(), PAUSE);
  }

  async #suggest() {
    clearTimeout(this.timer);
    const query = this.input.value.trim();
    if (!query) return;
    this.request?.abort();
    const request = (this.request = new AbortController());
    let groups;
    try {
      groups = await this.ask(query, request.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.#show([], query, t("failed"), t("failed_hint"));
      return;
    }
    if (request.signal.aborted || query !== this.input.value.trim()) return;
    const number = groups.reduce((sum, group) => sum + group.items.length, 0);
    this.answered = query;
    this.#show(groups, query, number ? t("matches", { n: number }) : t("no_match", { query }), t("no_match_hint"));
    if (this.taking && number) this.#take(0);
  }

  #show(groups, query, message, hint) {
    const filled = groups.filter((group) => group.items.length);
    this.found = filled.flatMap((group) => group.items);
    this.active = -1;
    let index = 0;
    this.list.replaceChildren(
      ...filled.flatMap((group, number) => {
        const options = group.items.map((item) => this.#option(item, index++, query));
        if (!group.label) return options;
        const box = element("div", "combobox__group");
        box.role = "group";
        const label = element("div", "combobox__heading", group.label);
        label.id = `${this.list.id}-group-${number}`;
        label.role = "presentation";
        box.setAttribute("aria-labelledby", label.id);
        box.append(label, ...options);
        return [box];
      }),
    );
    if (!this.found.length) {
      const nothing = element("div", "combobox__option combobox__option--none");
      nothing.role = "option";
      nothing.setAttribute("aria-disabled", "true");
      nothing.setAttribute("aria-selected", "false");
      nothing.append(element("span", "combobox__label", message), element("span", "combobox__hint", hint));
      this.list.append(nothing);
    }
    this.status.textContent = this.found.length ? message : `${message}. ${hint}`;
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
  }

  #option(item, index, query) {
    const option = element("div", "combobox__option");
    option.role = "option";
    option.id = `${this.list.id}-${index}`;
    option.dataset.index = index;
    option.setAttribute("aria-selected", "false");
    const label = element("span", "combobox__label");
    label.append(...marked(item.label, query));
    option.append(label);
    if (item.hint) option.append(element("span", "combobox__hint", item.hint));
    return option;
  }

  #move(step) {
    if (!this.found.length) return;
    this.active = (this.active + step + this.found.length) % this.found.length;
    this.list.querySelectorAll("[data-index]").forEach((option, index) => {
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
      // Never submits the form: without a choice the best match is taken, once it has come.
      event.preventDefault();
      if (open && this.answered === this.input.value.trim()) {
        if (this.found.length) this.#take(Math.max(this.active, 0));
      } else {
        this.taking = true;
        this.#suggest();
      }
    } else if (event.key === "Escape" && (open || this.taking)) {
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
    clearTimeout(this.timer);
    this.request?.abort();
    this.taking = false;
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
