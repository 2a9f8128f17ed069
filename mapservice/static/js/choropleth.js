// The coloured areas: one canvas, geometry parsed once per file, colours changed in place.

import { makePatterns } from "./patterns.js";

const GERMANY = [[47.27, 5.87], [55.06, 15.04]];
// Outside the chosen region: the map's own ground, so that it is taken neither for a value nor for a grey.
const OUTSIDE = "#e9ecf1";
const HAIRLINE = { states: 1.2, districts: 0.7, associations: 0.4, municipalities: 0.25 };
const OUTLINE = "#ffffff";
const PALE_OUTLINE = "#b9c7d8";
const ABOVE = "#3d4152";

export class Choropleth {
  constructor(map) {
    this.map = map;
    this.renderer = L.canvas({ padding: 0.25, tolerance: 0 });
    this.patterns = makePatterns();
    this.layers = [];
    this.lines = L.layerGroup().addTo(map);
    this.marks = L.layerGroup().addTo(map);
    this.areas = null;
    this.handlers = {};
    this.selected = "";
    this.hovered = null;
  }

  on(name, handler) {
    this.handlers[name] = handler;
    return this;
  }

  /** Puts the areas of a TopoJSON file on the map in place of those before. */
  setGeometry(topology, level) {
    const collection = topology.objects.areas;
    const features = topojson.feature(topology, collection).features;
    this.areas?.remove();
    this.lines.clearLayers();
    this.level = level;
    this.features = features;
    this.byArs = new Map(features.map((feature, index) => [feature.properties.ars, index]));
    const style = {
      renderer: this.renderer,
      color: OUTLINE,
      weight: HAIRLINE[level] ?? 0.5,
      fillColor: OUTSIDE,
      fillOpacity: 1,
      smoothFactor: 0.8,
      bubblingMouseEvents: false,
    };
    this.layers = features.map((feature, index) => {
      const layer = new L.Polygon(L.GeoJSON.coordsToLatLngs(coordinates(feature.geometry), 2), { ...style });
      layer.areaIndex = index;
      return layer;
    });
    this.areas = L.featureGroup(this.layers);
    this.areas.on("mouseover mousemove", (event) => this.#hover(event.layer ?? event.propagatedFrom, event));
    this.areas.on("mouseout", () => this.#hover(null));
    this.areas.on("click", (event) => this.handlers.select?.(this.feature(event.propagatedFrom.areaIndex)));
    this.areas.addTo(this.map);
    this.#drawLines(topology, collection, level);
    this.values = null;
    this.select(this.selected);
  }

  /** Lines of the levels above, from the same file: they lie exactly on the borders of the areas. */
  #drawLines(topology, collection, level) {
    const mesh = (differs) =>
      L.GeoJSON.coordsToLatLngs(topojson.mesh(topology, collection, differs).coordinates, 1);
    const draw = (lines, weight, color, opacity) =>
      this.lines.addLayer(
        L.polyline(lines, {
          renderer: this.renderer,
          weight,
          color,
          opacity,
          interactive: false,
          smoothFactor: 0.8,
        }),
      );
    if (level === "municipalities" || level === "associations") {
      const districts = mesh((a, b) => a !== b && a.properties.district !== b.properties.district);
      draw(districts, 0.8, "#ffffff", 1);
      draw(districts, 0.5, ABOVE, 0.55);
    }
    draw(mesh((a, b) => a === b), 1, ABOVE, 0.75);
    if (level !== "states") {
      draw(mesh((a, b) => a !== b && a.properties.state !== b.properties.state), 1.2, ABOVE, 0.9);
    }
  }

  feature(index) {
    return this.features[index];
  }

  /** Colours every area; `fill(index)` gives {colour} or {reason}, and {dimmed}. */
  colour(fill) {
    for (const layer of this.layers) {
      const { colour, reason, dimmed } = fill(layer.areaIndex);
      const fillColor = colour ?? this.patterns[reason] ?? OUTSIDE;
      const fillOpacity = dimmed ? 0.22 : 1;
      const options = layer.options;
      if (options.fillColor !== fillColor || options.fillOpacity !== fillOpacity) {
        options.color = isPale(fillColor) ? PALE_OUTLINE : OUTLINE;
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
      this.hoverRing = layer && ring(layer, this.renderer, 1.5, "#131525").addTo(this.marks);
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
      ring(layer, this.renderer, 6, "#ffffff").addTo(this.marks),
      ring(layer, this.renderer, 3, "#131525").addTo(this.marks),
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

const coordinates = ({ type, coordinates: rings }) => (type === "Polygon" ? [rings] : rings);

const ring = (layer, renderer, weight, color) =>
  L.polygon(layer.getLatLngs(), { renderer, weight, color, fill: false, interactive: false, smoothFactor: 0.8 });
