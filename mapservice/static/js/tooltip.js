// Name and value beside the pointer. For the eye only: panel and table say the same to everyone.

import { element } from "./texts.js";

export class Tooltip {
  constructor(container) {
    this.root = element("div", "tooltip");
    this.root.hidden = true;
    this.root.ariaHidden = "true";
    this.name = element("div", "tooltip__name");
    this.where = element("div", "tooltip__where");
    this.value = element("div", "tooltip__value");
    this.root.append(this.name, this.where, this.value);
    container.append(this.root);
    this.container = container;
  }

  show({ name, where, value }, point) {
    this.name.textContent = name;
    this.where.textContent = where;
    this.value.textContent = value;
    this.root.hidden = false;
    const { width, height } = this.container.getBoundingClientRect();
    const own = this.root.getBoundingClientRect();
    const x = point.x + 16 + own.width > width ? point.x - own.width - 12 : point.x + 16;
    const y = Math.min(Math.max(point.y + 16, 4), height - own.height - 4);
    this.root.style.transform = `translate(${Math.max(x, 4)}px, ${y}px)`;
  }

  hide() {
    this.root.hidden = true;
  }
}
