// The card in the middle of the map: what is going on, what went wrong, what a link named in vain.

import { element, t } from "./texts.js";

export class Messages {
  /** root: the map page, which is busy while something is loading. */
  constructor(root, card) {
    this.root = root;
    this.card = card;
  }

  /** Says what is going on; an empty text ends it. Most answers come at once: a flash is worse than none. */
  say(text, { soon = false } = {}) {
    clearTimeout(this.later);
    this.root.setAttribute("aria-busy", String(Boolean(text)));
    if (!text) {
      this.card.hidden = true;
      return;
    }
    this.later = setTimeout(() => this.#show("", element("p", "kern-body", text)), soon ? 0 : 250);
  }

  fail(error, retry) {
    clearTimeout(this.later);
    this.root.setAttribute("aria-busy", "false");
    this.#show(
      "map-message--error",
      element("p", "kern-body kern-body--bold", t("failed")),
      element("p", "kern-body", error.message || t("failed_hint")),
      button(t("retry"), retry),
    );
  }

  /** Sentences that stay until they are closed; without any, those before go. */
  note(texts, { start, close }) {
    if (!texts) {
      if (this.card.classList.contains("map-message--note")) this.card.hidden = true;
      return;
    }
    const shut = button(t("close"), () => {
      this.card.hidden = true;
      close();
    });
    this.#show(
      "map-message--note",
      ...texts.map((text) => element("p", "kern-body", text)),
      button(t("without_filters"), start),
      shut,
    );
  }

  #show(kind, ...parts) {
    this.card.className = `map-message ${kind}`.trim();
    this.card.replaceChildren(...parts);
    this.card.hidden = false;
  }
}

function button(label, act) {
  const made = element("button", "kern-btn kern-btn--secondary");
  made.type = "button";
  made.append(element("span", "kern-label", label));
  made.addEventListener("click", act);
  return made;
}
