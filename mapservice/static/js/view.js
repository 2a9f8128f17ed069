// What of the map is in view: fitting, the room that cards take from it, and the buttons.

import { isWide } from "./screen.js";

// How close a found area is shown: with its surroundings, not alone.
const CLOSEST = { states: 7, districts: 8.5, associations: 9.5, municipalities: 10 };
const SELECTION_CLOSEST = 11;

export class View {
  /**
   * wanted(index): whether an area belongs to the selection; ready(): whether there are values yet;
   * panelRoot: what covers the map from below on a small screen; selected(): key of the open area.
   */
  constructor(map, choropleth, { wanted, ready, panelRoot, selected }) {
    this.map = map;
    this.choropleth = choropleth;
    this.wanted = wanted;
    this.ready = ready;
    this.panelRoot = panelRoot;
    this.selected = selected;
    this.moved = false;
    this.#watchSize();
    this.#addZoomButtons();
    map.fitBounds(choropleth.bounds(() => false), { ...this.#padding(), animate: false });
  }

  /** Shows the whole selection. */
  fit({ animate = true } = {}) {
    this.moved = false;
    const bounds = this.choropleth.bounds(this.wanted);
    this.map.fitBounds(bounds, { ...this.#padding(), maxZoom: SELECTION_CLOSEST, animate });
  }

  /** Shows one area of a level with its surroundings. */
  close(bounds, level) {
    this.moved = true;
    this.map.fitBounds(bounds, { ...this.#padding(), maxZoom: CLOSEST[level] ?? 10 });
  }

  /** Moves the map as little as it takes to see the area whole, or its middle where it is larger than the room. */
  panTo(bounds) {
    const { paddingTopLeft, paddingBottomRight } = this.#padding();
    const point = (place) => this.map.latLngToContainerPoint(place);
    const half = point(bounds.getSouthEast()).subtract(point(bounds.getNorthWest())).divideBy(2);
    const free = this.map.getSize().subtract(paddingTopLeft).subtract(paddingBottomRight).divideBy(2);
    const more = L.point(Math.max(0, Math.min(half.x, free.x - 1)), Math.max(0, Math.min(half.y, free.y - 1)));
    this.map.panInside(bounds.getCenter(), {
      paddingTopLeft: more.add(paddingTopLeft),
      paddingBottomRight: more.add(paddingBottomRight),
    });
  }

  /** Room that title, legend and panel take from the map, so that areas are fitted into the rest. */
  #padding() {
    if (!isWide()) {
      const canvas = this.map.getContainer().parentElement;
      const root = this.panelRoot;
      const covered = root.hidden ? 0 : canvas.offsetTop + canvas.offsetHeight - root.offsetTop;
      // Never more than the map has: a bit of it is all there may be.
      const bottom = Math.max(8, Math.min(covered + 8, canvas.offsetHeight - 32));
      return { paddingTopLeft: [8, 8], paddingBottomRight: [8, bottom] };
    }
    return { paddingTopLeft: [250, 12], paddingBottomRight: [this.selected() ? 416 : 56, 12] };
  }

  /** Title, chips and legend take from the map's height as they fill; Leaflet sees the window's size alone. */
  #watchSize() {
    const container = this.map.getContainer();
    const moved = () => (this.moved = true);
    this.map.on("dragstart boxzoomend", moved);
    for (const name of ["wheel", "dblclick", "touchmove"]) container.addEventListener(name, moved, { passive: true });
    container.addEventListener("keydown", (event) => {
      if (/^(Arrow|[+=-])/.test(event.key)) moved();
    });
    new ResizeObserver(() => {
      this.map.invalidateSize({ animate: false });
      if (!this.moved && this.ready()) this.fit({ animate: false });
      const bounds = this.moved ? null : this.choropleth.select(this.selected());
      if (bounds) this.panTo(bounds);
    }).observe(container.parentElement);
  }

  #addZoomButtons() {
    const zoom = (act) => {
      this.moved = true;
      this.map[act]();
    };
    const buttons = { "zoom-in": () => zoom("zoomIn"), "zoom-out": () => zoom("zoomOut"), "zoom-home": () => this.fit() };
    for (const [id, act] of Object.entries(buttons)) document.getElementById(id).addEventListener("click", act);
  }
}
