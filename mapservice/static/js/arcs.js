// The areas of one geometry file in plain arrays. Objects for every vertex, and paths for every area, would take
// most of the time until eleven thousand areas are painted.

const TILE = 256;
/** Pixels between two vertices that are drawn. */
const THINNED = 0.75;

/** Longitude and latitude -> pixels of the world at zoom 0, as in L.CRS.EPSG3857. */
const worldX = (lon) => TILE * (lon / 360 + 0.5);
const worldY = (lat) => TILE * (0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI));
const latitude = (y) => (Math.atan(Math.exp((0.5 - y / TILE) * 2 * Math.PI)) * 360) / Math.PI - 90;
const longitude = (x) => (x / TILE - 0.5) * 360;

const onGlobe = ([west, north, east, south]) =>
  L.latLngBounds([latitude(south), longitude(west)], [latitude(north), longitude(east)]);

const numberOf = (arc) => (arc < 0 ? ~arc : arc);

/** West, north, east and south of many things, in pixels of the world at zoom 0. */
class Boxes {
  constructor(length) {
    this.all = new Float64Array(4 * length);
    for (let at = 0; at < this.all.length; at += 1) this.all[at] = at & 2 ? -Infinity : Infinity;
  }

  /** Extends a thing's box by one of other boxes. */
  include(index, { all: others }, other) {
    const { all } = this;
    const [at, from] = [4 * index, 4 * other];
    if (others[from] < all[at]) all[at] = others[from];
    if (others[from + 1] < all[at + 1]) all[at + 1] = others[from + 1];
    if (others[from + 2] > all[at + 2]) all[at + 2] = others[from + 2];
    if (others[from + 3] > all[at + 3]) all[at + 3] = others[from + 3];
  }

  /** Whether a thing's box meets another one: [west, north, east, south]. */
  meets(index, box) {
    const { all } = this;
    const at = 4 * index;
    return all[at] <= box[2] && all[at + 2] >= box[0] && all[at + 1] <= box[3] && all[at + 3] >= box[1];
  }

  of(index) {
    return this.all.subarray(4 * index, 4 * index + 4);
  }
}

/** Areas made of shared borders ("arcs"): projected and thinned once a zoom, drawn and pointed at by their numbers. */
export class Areas {
  /** document, lists: of topology.js. */
  constructor({ arcs, transform, objects }, lists) {
    this.#readArcs(lists, arcs, transform);
    this.#readRings(lists, objects.areas.geometries);
  }

  #readArcs(lists, list, { scale, translate }) {
    const [first] = lists.span(list);
    // The list itself closes last.
    const ends = lists.groupEnds(list).subarray(0, -1);
    const count = ends.length;
    const total = count ? (ends[count - 1] - first) >> 1 : 0;
    this.starts = new Int32Array(count + 1);
    this.world = new Float64Array(2 * total);
    this.arcBoxes = new Boxes(count);
    const { values } = lists;
    const { world } = this;
    const boxes = this.arcBoxes.all;
    let at = 0;
    for (let arc = 0; arc < count; arc += 1) {
      let [x, y] = [0, 0];
      let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
      for (; at < ends[arc] - first; at += 2) {
        x += values[first + at];
        y += values[first + at + 1];
        const right = (world[at] = worldX(x * scale[0] + translate[0]));
        const down = (world[at + 1] = worldY(y * scale[1] + translate[1]));
        if (right < west) west = right;
        if (right > east) east = right;
        if (down < north) north = down;
        if (down > south) south = down;
      }
      boxes[4 * arc] = west;
      boxes[4 * arc + 1] = north;
      boxes[4 * arc + 2] = east;
      boxes[4 * arc + 3] = south;
      this.starts[arc + 1] = at >> 1;
    }
    this.pixels = new Float32Array(2 * total);
    this.firsts = new Int32Array(count);
    this.lasts = new Int32Array(count);
  }

  /** Rings of all areas one after the other, and the two areas beside each arc (-1: none, at the coast). */
  #readRings(lists, geometries) {
    const arcs = this.firsts.length;
    this.length = geometries.length;
    this.boxes = new Boxes(this.length);
    this.sides = new Int32Array(2 * arcs).fill(-1);
    this.areaRings = new Int32Array(this.length + 1);
    const { sides, arcBoxes, boxes } = this;
    const { values } = lists;
    const ends = [];
    const spans = geometries.filter(({ arcs: list }) => list !== undefined).map(({ arcs: list }) => lists.span(list));
    // One list follows the other in the file, and so do their numbers here.
    const first = spans.length ? spans[0][0] : 0;
    this.numbers = values.slice(first, spans.at(-1)?.[1] ?? 0);
    geometries.forEach(({ arcs: list }, index) => {
      if (list !== undefined) {
        const [from, to] = lists.span(list);
        for (let place = from; place < to; place += 1) {
          const number = numberOf(values[place]);
          sides[2 * number + (sides[2 * number] < 0 ? 0 : 1)] = index;
          boxes.include(index, arcBoxes, number);
        }
        for (const end of lists.ringEnds(list)) ends.push(end - first);
      }
      this.areaRings[index + 1] = ends.length;
    });
    /** Where each ring's numbers begin. */
    this.ringArcs = new Int32Array(ends.length + 1);
    this.ringArcs.set(ends, 1);
  }

  /** An area's extent on the globe. */
  bounds(index) {
    return onGlobe(this.boxes.of(index));
  }

  /** The extent of the areas for which `wanted(index)` holds, null if there are none. */
  boundsOf(wanted) {
    const all = new Boxes(1);
    for (let index = 0; index < this.length; index += 1) if (wanted(index)) all.include(0, this.boxes, index);
    return all.of(0)[0] === Infinity ? null : onGlobe(all.of(0));
  }

  /** The numbers of arcs by the first of `kinds` that fits: {name: (one, other) => …}, areas; other is -1 at the coast. */
  borders(kinds) {
    const found = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
    for (let arc = 0; arc < this.firsts.length; arc += 1) {
      const [one, other] = [this.sides[2 * arc], this.sides[2 * arc + 1]];
      if (one < 0) continue;
      for (const name in kinds) {
        if (!kinds[name](one, other)) continue;
        found[name].push(arc);
        break;
      }
    }
    return found;
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

  /** A box of the map's panes, in pixels, in those of the world: for `meets`. */
  worldBox({ min, max }) {
    const { x, y, scale } = this;
    return [(min.x + x) / scale, (min.y + y) / scale, (max.x + x) / scale, (max.y + y) / scale];
  }

  /** Adds an area to the context's path. */
  trace(context, index) {
    const { pixels, numbers } = this;
    for (let ring = this.areaRings[index]; ring < this.areaRings[index + 1]; ring += 1) {
      const first = this.ringArcs[ring];
      for (let place = first; place < this.ringArcs[ring + 1]; place += 1) {
        const arc = numbers[place];
        const number = numberOf(arc);
        const step = arc < 0 ? -2 : 2;
        let at = arc < 0 ? this.lasts[number] : this.firsts[number];
        const end = (arc < 0 ? this.firsts[number] : this.lasts[number]) + step;
        if (place === first) context.moveTo(pixels[at], pixels[at + 1]);
        for (at += step; at !== end; at += step) context.lineTo(pixels[at], pixels[at + 1]);
      }
      context.closePath();
    }
  }

  /** Draws borders as lines. */
  stroke(context, arcs, { colour, weight, opacity = 1 }) {
    const { pixels } = this;
    Object.assign(context, { strokeStyle: colour, lineWidth: weight, globalAlpha: opacity });
    context.beginPath();
    for (const number of arcs) {
      let at = this.firsts[number];
      context.moveTo(pixels[at], pixels[at + 1]);
      for (at += 2; at <= this.lasts[number]; at += 2) context.lineTo(pixels[at], pixels[at + 1]);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** The area at a point in pixels of the world at zoom 0, null where there is none. */
  at({ x, y }) {
    const point = [x, y, x, y];
    for (let index = 0; index < this.length; index += 1) {
      if (this.boxes.meets(index, point) && this.#holds(index, x, y)) return index;
    }
    return null;
  }

  /** The same for a place on the globe. */
  holding(lon, lat) {
    return this.at({ x: worldX(lon), y: worldY(lat) });
  }

  /** By counting the borders to the right of the point. */
  #holds(index, x, y) {
    const { world } = this;
    let inside = false;
    for (let place = this.ringArcs[this.areaRings[index]]; place < this.ringArcs[this.areaRings[index + 1]]; place += 1) {
      const number = numberOf(this.numbers[place]);
      for (let at = 2 * this.starts[number]; at < 2 * this.starts[number + 1] - 2; at += 2) {
        const [y1, y2] = [world[at + 1], world[at + 3]];
        if (y1 > y === y2 > y) continue;
        if (x < ((world[at + 2] - world[at]) * (y - y1)) / (y2 - y1) + world[at]) inside = !inside;
      }
    }
    return inside;
  }
}
