// On a small screen the rail is a sheet from below, opened by a button; on a large one it simply stands there.

export class Sheet {
  constructor(rail, button) {
    this.rail = rail;
    this.button = button;
    button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    rail.querySelector("#sheet-close").addEventListener("click", () => this.close());
    rail.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
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
    if (this.rail.contains(document.activeElement)) this.button.focus();
  }
}
