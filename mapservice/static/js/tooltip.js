// Name, value and rank beside the pointer or the focused area. For the eye only: the panel, the table and what
// the map announces say the same to everyone.

import { element } from "./texts.js";

const STAYS = 250;

export class Tooltip {
  /**
   * container: what it lies in and is placed by; open(): the visitor clicked on it. WCAG 1.4.13: it stands still
   * beside where an area was entered, stays while the pointer is on it, and Escape hides it.
   */
  constructor(container, open) {
    this.root = element("div", "tooltip");
    this.root.hidden = true;
    this.root.ariaHidden = "true";
    this.parts = ["name", "where", "value", "rank"].map((name) => [name, element("div", `tooltip__${name}`)]);
    this.root.append(...this.parts.map(([, part]) => part));
    container.append(this.root);
    this.container = container;
    this.root.addEventListener("mouseenter", () => {
      this.entered = true;
      clearTimeout(this.later);
    });
    this.root.addEventListener("mouseleave", () => {
      this.entered = false;
      this.leave();
    });
    L.DomEvent.disableClickPropagation(this.root);
    this.root.addEventListener("click", () => open(this.key));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hide({ dismissed: true });
    });
  }

  /** key: of the area; words: {name, where, value, rank}; point: in pixels of the container. */
  show(key, words, point) {
    clearTimeout(this.later);
    // The same area keeps it where it is, and hidden after Escape.
    if (key === this.key && (this.dismissed || !this.root.hidden)) return;
    this.key = key;
    this.dismissed = false;
    for (const [name, part] of this.parts) {
      part.textContent = words[name] ?? "";
      part.hidden = !words[name];
    }
    this.root.hidden = false;
    const { width, height } = this.container.getBoundingClientRect();
    const own = this.root.getBoundingClientRect();
    const x = point.x + 12 + own.width > width ? point.x - own.width - 12 : point.x + 12;
    const y = Math.min(Math.max(point.y + 12, 4), height - own.height - 4);
    this.root.style.transform = `translate(${Math.max(x, 4)}px, ${y}px)`;
  }

  /** The pointer left the area: it may be on its way to the tooltip. */
  leave() {
    clearTimeout(this.later);
    if (this.entered && !this.root.hidden) return;
    this.later = setTimeout(() => this.hide(), STAYS);
  }

  hide({ dismissed = false } = {}) {
    clearTimeout(this.later);
    if (this.root.hidden && !this.dismissed) return;
    this.root.hidden = true;
    this.entered = false;
    this.dismissed = dismissed;
    if (!dismissed) this.key = null;
  }
}
