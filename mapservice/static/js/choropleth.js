// The coloured areas: one canvas, geometry parsed once per file, colours changed in place.

import { Arcs, area, borders, lines, outline } from "./arcs.js";
import { mapColours } from "./colours.js";
import { makePatterns } from "./patterns.js";

const GERMANY = [[47.27, 5.87], [55.06, 15.04]];
const HAIRLINE = { states: 1.2, districts: 0.7, associations: 0.4, municipalities: 0.25 };
// Borders of the levels above: drawn twice, so that they stand out on pale and on dark areas.
const BORDERS = {
  coast: { weight: 0.9, casing: 0, opacity: 0.8 },
  district: { weight: 0.7, casing: 1.2, opacity: 0.75 },
  state: { weight: 1.3, casing: 1.4, opacity: 1 },
};

export class Choropleth {
  constructor(map) {
    this.map = map;
    this.renderer = L.canvas({ padding: 0.25, tolerance: 0 });
    this.colours = mapColours();
    this.patterns = makePatterns(this.colours);
    this.layers = [];
    this.lines = L.featureGroup().addTo(map);
    this.marks = L.layerGroup().addTo(map);
    map.on("zoomend", () => this.#weighLines());
    this.areas = null;
    this.handlers = {};
    this.selected = "";
    this.marked = "";
    this.hovered = null;
  }

  on(name, handler) {
    this.handlers[name] = handler;
    return this;
  }

  /** Puts the areas of a TopoJSON file on the map in place of those before. */
  setGeometry(topology, level) {
    const features = topology.objects.areas.geometries;
    const arcs = new Arcs(topology);
    this.areas?.remove();
    this.lines.clearLayers();
    this.level = level;
    this.features = features;
    this.byArs = new Map(features.map((feature, index) => [feature.properties.ars, index]));
    const style = {
      renderer: this.renderer,
      color: this.colours.hairline,
      weight: HAIRLINE[level] ?? 0.5,
      // Outside the chosen region: the map's own ground, taken neither for a value nor for a grey.
      fillColor: this.colours.ground,
      fillOpacity: 1,
      bubblingMouseEvents: false,
    };
    this.layers = features.map((feature, index) => {
      const layer = area(arcs, feature, style);
      layer.areaIndex = index;
      return layer;
    });
    this.areas = L.featureGroup(this.layers);
    this.areas.on("mouseover mousemove", (event) => this.#hover(event.layer ?? event.propagatedFrom, event));
    this.areas.on("mouseout", () => this.#hover(null));
    this.areas.on("click", (event) => this.handlers.select?.(this.feature(event.propagatedFrom.areaIndex)));
    this.areas.addTo(this.map);
    this.#drawLines(arcs, features, level);
    this.values = null;
    this.select(this.selected);
    this.mark(this.marked);
  }

  /** Lines of the levels above, from the same file: they lie exactly on the borders of the areas. */
  #drawLines(arcs, features, level) {
    const found = borders(features, {
      coast: (one, other) => !other,
      state: (one, other) => level !== "states" && one.properties.state !== other.properties.state,
      district: (one, other) =>
        (level === "municipalities" || level === "associations") &&
        one.properties.district !== other.properties.district,
    });
    for (const border of ["district", "coast", "state"]) {
      if (!found[border].length) continue;
      const common = { renderer: this.renderer, border };
      if (BORDERS[border].casing) {
        this.lines.addLayer(lines(arcs, found[border], { ...common, color: this.colours.casing, under: true }));
      }
      const { opacity } = BORDERS[border];
      this.lines.addLayer(lines(arcs, found[border], { ...common, color: this.colours.line, opacity }));
    }
    this.#weighLines();
  }

  /** Borders grow with the scale, as in an atlas. */
  #weighLines() {
    const scale = Math.min(2, Math.max(0.8, 0.8 + (this.map.getZoom() - 6) * 0.3));
    this.lines.eachLayer((line) => {
      const { weight, casing } = BORDERS[line.options.border];
      line.setStyle({ weight: weight * scale + (line.options.under ? casing : 0) });
    });
  }

  /** Takes over the colours of the present theme. */
  restyle() {
    this.colours = mapColours();
    this.patterns = makePatterns(this.colours);
    this.lines.eachLayer((line) =>
      line.setStyle({ color: line.options.under ? this.colours.casing : this.colours.line }),
    );
    this.select(this.selected);
    this.mark(this.marked);
  }

  /** Draws at once what waits for the next frame: a page is printed before there is one. */
  flush() {
    if (!this.renderer._redrawRequest) return;
    L.Util.cancelAnimFrame(this.renderer._redrawRequest);
    this.renderer._redraw();
  }

  feature(index) {
    return this.features[index];
  }

  /** Colours every area; `fill(index)` gives {colour} or {reason}, {dimmed}, and {passed} over by the legend. */
  colour(fill) {
    for (const layer of this.layers) {
      const { colour, reason, dimmed, passed } = fill(layer.areaIndex);
      const fillColor = colour ?? this.patterns[reason] ?? this.colours.ground;
      const fillOpacity = passed ? 0.08 : dimmed ? 0.22 : 1;
      const options = layer.options;
      if (options.fillColor !== fillColor || options.fillOpacity !== fillOpacity) {
        options.color = isPale(fillColor) ? this.colours["hairline-pale"] : this.colours.hairline;
        options.fillColor = fillColor;
        options.fillOpacity = fillOpacity;
        layer.redraw();
      }
    }
  }

  #hover(layer, event) {
    if (layer !== this.hovered) {
      this.hovered = layer;
      this.hoverRing?.remove();
      this.hoverRing = layer && ring(layer, this.renderer, 1.5, this.colours.ring).addTo(this.marks);
    }
    this.handlers.hover?.(layer ? layer.areaIndex : null, event?.containerPoint);
  }

  /** Rings an area (12-digit ARS; empty for none); its colour stays. */
  select(ars) {
    this.selected = ars;
    this.selectRings?.forEach((mark) => mark.remove());
    this.selectRings = null;
    const layer = this.layers[this.byArs?.get(ars)];
    if (!layer) return null;
    this.selectRings = [
      ring(layer, this.renderer, 6, this.colours.casing).addTo(this.marks),
      ring(layer, this.renderer, 3, this.colours.ring).addTo(this.marks),
    ];
    return layer.getBounds();
  }

  /** Marks the area that the keyboard stands on, unlike a chosen one: light within dark. */
  mark(ars) {
    this.marked = ars;
    this.markRings?.forEach((mark) => mark.remove());
    this.markRings = null;
    const layer = this.layers[this.byArs?.get(ars)];
    if (!layer) return null;
    this.markRings = [
      ring(layer, this.renderer, 8, this.colours.ring).addTo(this.marks),
      ring(layer, this.renderer, 4.5, this.colours.casing).addTo(this.marks),
      ring(layer, this.renderer, 1.5, this.colours.ring).addTo(this.marks),
    ];
    return layer.getBounds();
  }

  /** The extent of the areas for which `wanted(index)` holds; Germany's while there are none. */
  bounds(wanted) {
    const bounds = L.latLngBounds([]);
    for (const layer of this.layers) if (wanted(layer.areaIndex)) bounds.extend(layer.getBounds());
    return bounds.isValid() ? bounds : L.latLngBounds(GERMANY);
  }
}

/** Whether white lines would vanish on the fill. */
const isPale = (fill) => typeof fill !== "string" || /^#[ef][0-9a-f][ef][0-9a-f][ef][0-9a-f]$/i.test(fill);

const ring = (layer, renderer, weight, color) => outline(layer, { renderer, weight, color });
