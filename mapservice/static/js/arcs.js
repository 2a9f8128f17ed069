// Areas and lines made of shared borders. Leaflet's own polygons would make objects of every vertex, twice for
// each border, and project, clip and thin both: most of the time until eleven thousand areas are painted.

const TILE = 256;
/** Pixels between two vertices that are drawn. */
const THINNED = 0.75;

/** Longitude and latitude -> pixels of the world at zoom 0, as in L.CRS.EPSG3857. */
const worldX = (lon) => TILE * (lon / 360 + 0.5);
const worldY = (lat) => TILE * (0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI));
const latitude = (y) => (Math.atan(Math.exp((0.5 - y / TILE) * 2 * Math.PI)) * 360) / Math.PI - 90;
const longitude = (x) => (x / TILE - 0.5) * 360;

/** The borders of one TopoJSON file, projected and thinned once a view. */
export class Arcs {
  constructor({ arcs, transform }) {
    const { scale, translate } = transform;
    this.starts = new Int32Array(arcs.length + 1);
    arcs.forEach((arc, number) => (this.starts[number + 1] = this.starts[number] + arc.length));
    const total = this.starts[arcs.length];
    this.world = new Float64Array(2 * total);
    let at = 0;
    for (const arc of arcs) {
      let x = 0;
      let y = 0;
      for (const step of arc) {
        x += step[0];
        y += step[1];
        this.world[at] = worldX(x * scale[0] + translate[0]);
        this.world[at + 1] = worldY(y * scale[1] + translate[1]);
        at += 2;
      }
    }
    this.pixels = new Float32Array(2 * total);
    this.firsts = new Int32Array(arcs.length);
    this.lasts = new Int32Array(arcs.length);
  }

  /** West, north, east, south of arcs, in pixels of the world at zoom 0. */
  extent(numbers) {
    const extent = [Infinity, Infinity, -Infinity, -Infinity];
    for (const number of numbers) {
      const arc = number < 0 ? ~number : number;
      for (let at = 2 * this.starts[arc]; at < 2 * this.starts[arc + 1]; at += 2) {
        const x = this.world[at];
        const y = this.world[at + 1];
        if (x < extent[0]) extent[0] = x;
        if (x > extent[2]) extent[2] = x;
        if (y < extent[1]) extent[1] = y;
        if (y > extent[3]) extent[3] = y;
      }
    }
    return extent;
  }

  /** Brings the arcs to the map's present zoom and origin. Ends stay, so that neighbours still meet. */
  project(map) {
    const zoom = map.getZoom();
    const origin = map.getPixelOrigin();
    if (zoom === this.zoom && origin.x === this.x && origin.y === this.y) return;
    Object.assign(this, { zoom, x: origin.x, y: origin.y, scale: 2 ** zoom });
    const { world, pixels, scale } = this;
    let written = 0;
    for (let arc = 0; arc < this.firsts.length; arc += 1) {
      const end = 2 * this.starts[arc + 1] - 2;
      this.firsts[arc] = written;
      let lastX = Infinity;
      let lastY = Infinity;
      for (let at = 2 * this.starts[arc]; at <= end; at += 2) {
        const x = world[at] * scale - origin.x;
        const y = world[at + 1] * scale - origin.y;
        if (at < end && Math.abs(x - lastX) < THINNED && Math.abs(y - lastY) < THINNED) continue;
        pixels[written] = lastX = x;
        pixels[written + 1] = lastY = y;
        written += 2;
      }
      this.lasts[arc] = written - 2;
    }
  }

  /** Calls visit(x, y) for the vertices of an arc (~number: backwards), but for the first if `joined`. */
  walk(number, joined, visit) {
    const { pixels } = this;
    const skipped = joined ? 2 : 0;
    if (number >= 0) {
      for (let at = this.firsts[number] + skipped; at <= this.lasts[number]; at += 2) visit(pixels[at], pixels[at + 1]);
    } else {
      const arc = ~number;
      for (let at = this.lasts[arc] - skipped; at >= this.firsts[arc]; at -= 2) visit(pixels[at], pixels[at + 1]);
    }
  }
}

/** Something drawn along arcs, on Leaflet's canvas: the methods that its renderer asks of a path. */
const ArcPath = L.Path.extend({
  initialize(arcs, rings, options) {
    this.arcs = arcs;
    this.rings = rings;
    L.Util.setOptions(this, options);
  },

  /** In pixels of the world at zoom 0. */
  extent() {
    return (this.world ??= this.arcs.extent(this.rings.flat()));
  },

  getBounds() {
    const [west, north, east, south] = this.extent();
    return L.latLngBounds([latitude(south), longitude(west)], [latitude(north), longitude(east)]);
  },

  _project() {
    this.arcs.project(this._map);
    this._updateBounds();
  },

  _updateBounds() {
    const { scale, x, y } = this.arcs;
    const [west, north, east, south] = this.extent();
    const margin = this._clickTolerance() + 1;
    this._pxBounds = L.bounds(
      [west * scale - x - margin, north * scale - y - margin],
      [east * scale - x + margin, south * scale - y + margin],
    );
  },

  // The canvas clips; nothing is kept of what is drawn.
  _update() {},

  _updatePath() {
    const renderer = this._renderer;
    if (!renderer._drawing || !renderer._bounds.intersects(this._pxBounds)) return;
    const context = renderer._ctx;
    const closed = this.options.closed;
    context.beginPath();
    for (const ring of this.rings) {
      let started = false;
      for (const number of ring) {
        this.arcs.walk(number, started && closed, (x, y) => {
          if (started) context.lineTo(x, y);
          else context.moveTo(x, y);
          started = true;
        });
        if (!closed) started = false;
      }
      if (closed) context.closePath();
    }
    renderer._fillStroke(context, this);
  },

  /** Whether a point of the map lies in the area, by counting the borders to its right. */
  _containsPoint(point) {
    if (!this.options.closed || !this._pxBounds?.contains(point)) return false;
    let inside = false;
    for (const ring of this.rings) {
      let lastX;
      let lastY;
      for (const number of ring) {
        this.arcs.walk(number, false, (x, y) => {
          if (lastY !== undefined && y > point.y !== lastY > point.y) {
            if (point.x < ((lastX - x) * (point.y - y)) / (lastY - y) + x) inside = !inside;
          }
          lastX = x;
          lastY = y;
        });
      }
    }
    return inside;
  },
});

/** An area of a geometry file as a layer of the map. */
export function area(arcs, { type, arcs: parts }, options) {
  return new ArcPath(arcs, type === "Polygon" ? parts : parts.flat(), { ...options, fill: true, closed: true });
}

/** Another drawing of an area: its outline alone. */
export const outline = (layer, options) =>
  new ArcPath(layer.arcs, layer.rings, { ...options, fill: false, interactive: false, closed: true });

/** Arcs as lines, each for itself. */
export const lines = (arcs, numbers, options) =>
  new ArcPath(arcs, [numbers], { ...options, fill: false, interactive: false, closed: false });

/** The numbers of arcs by the first of `kinds` that fits: {name: (one, other) => …}; other is null at the coast. */
export function borders(geometries, kinds) {
  const sides = new Map();
  for (const geometry of geometries) {
    for (const number of geometry.arcs.flat(2)) {
      const arc = number < 0 ? ~number : number;
      if (sides.has(arc)) sides.get(arc)[1] = geometry;
      else sides.set(arc, [geometry, null]);
    }
  }
  const found = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (const [arc, [one, other]] of sides) {
    const name = Object.keys(kinds).find((kind) => kinds[kind](one, other));
    if (name) found[name].push(arc);
  }
  return found;
}
