// A geometry file as the map needs it. Names and the like stand in columns beside the geometries, without what follows
// from the key: docs/architecture.md. Files of older imports have them at every geometry.

import { Areas } from "./arcs.js";
import { readTopology } from "./topology.js";

const ARS_LENGTH = 12;

const indexed = ({ values, of }) => (index) => values[of[index]];
const above = (digits) => (_, id) => (id.length > digits ? id.slice(0, digits) : null);

/** What is known of the areas of a file, by their numbers; put together when it is asked for. */
export class Features {
  constructor({ columns, transform, objects }) {
    this.geometries = objects.areas.geometries;
    this.length = this.geometries.length;
    this.made = new Array(this.length);
    if (!columns) return;
    this.columns = columns;
    this.transform = transform;
    this.designation = indexed(columns.designation);
    this.district = columns.district ? indexed(columns.district) : above(5);
    this.state = columns.state ? indexed(columns.state) : above(2);
  }

  /** {name, designation, ars, authority, district, state, label: [lon, lat]} */
  properties(index) {
    return (this.made[index] ??= this.columns ? this.#put(index) : this.geometries[index].properties);
  }

  #put(index) {
    const { columns } = this;
    const { id } = this.geometries[index];
    const ars = id.padEnd(ARS_LENGTH, "0");
    return {
      name: columns.name[index],
      designation: this.designation(index),
      ars,
      authority: index in (columns.authority ?? {}) ? columns.authority[index] : ars,
      district: this.district(index, id),
      state: this.state(index, id),
      label: this.#label(index),
    };
  }

  #label(index) {
    if (!this.labels) {
      // Each pair is the difference to the one before.
      this.labels = Int32Array.from(this.columns.label);
      for (let at = 2; at < this.labels.length; at += 1) this.labels[at] += this.labels[at - 2];
    }
    const { scale, translate } = this.transform;
    return [0, 1].map((axis) => this.labels[2 * index + axis] * scale[axis] + translate[axis]);
  }

  /** The number of the area with this twelve-digit key, undefined if there is none. */
  indexOf(ars) {
    if (!ars) return undefined;
    this.numbers ??= new Map(this.geometries.map((_, index) => [this.properties(index).ars, index]));
    return this.numbers.get(ars);
  }

  /** A number for each area, the same for those in one `district` or `state`. */
  grouped(name) {
    const numbers = new Map();
    return Int32Array.from(this.geometries, ({ id }, index) => {
      const key = this.columns ? this[name](index, id) : this.properties(index)[name];
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      return numbers.get(key);
    });
  }
}

/** The bytes of a file -> {features, areas}. */
export function readGeometry(bytes) {
  const { document, lists } = readTopology(bytes);
  return { features: new Features(document), areas: new Areas(document, lists) };
}
