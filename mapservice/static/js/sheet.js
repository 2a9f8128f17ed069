// On a small screen the rail is a sheet from below, opened by a button; on a large one it simply stands there.

const STOPS = "a[href], button, input, select, summary";

export class Sheet {
  constructor(rail, button) {
    this.rail = rail;
    this.button = button;
    button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    rail.querySelector("#sheet-close").addEventListener("click", () => this.close());
    // On the document: Escape and Tab reach the sheet wherever the focus was lost to.
    document.addEventListener("keydown", (event) => {
      if (!this.isOpen) return;
      if (event.key === "Escape") this.close();
      else if (event.key === "Tab") this.#keepInside(event);
    });
    matchMedia("(min-width: 62rem)").addEventListener("change", () => this.close());
  }

  get isOpen() {
    return this.rail.classList.contains("rail--open");
  }

  open() {
    this.rail.classList.add("rail--open");
    this.button.setAttribute("aria-expanded", "true");
    this.rail.querySelector("h2").focus();
  }

  close() {
    if (!this.isOpen) return;
    this.rail.classList.remove("rail--open");
    this.button.setAttribute("aria-expanded", "false");
    const { activeElement } = document;
    if (activeElement === document.body || this.rail.contains(activeElement)) this.button.focus();
  }

  /** The map stays beside the sheet and goes on telling its result, but lies under it: Tab goes round. */
  #keepInside(event) {
    const stops = [...this.rail.querySelectorAll(STOPS)].filter(
      (node) => !node.matches(":disabled, [type=hidden]") && node.checkVisibility({ visibilityProperty: true }),
    );
    // Of radio buttons Tab stops at one alone, which need not be the first or last in the document.
    const focused = document.activeElement;
    const inside = this.rail.contains(focused);
    const leaves = event.shiftKey ? focused === stops[0] || focused.tabIndex < 0 : focused === stops.at(-1);
    if (inside && !leaves) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }
}
