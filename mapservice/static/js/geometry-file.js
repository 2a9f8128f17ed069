// Geometry files hold names and the like in columns, without what follows from the key: docs/architecture.md.

const ARS_LENGTH = 12;

/** The topology with properties at every geometry of `areas`; files of older imports have them already. */
export function withProperties(topology) {
  const { columns, transform, objects } = topology;
  if (!columns) return topology;
  const designation = indexed(columns.designation);
  const district = columns.district ? indexed(columns.district) : above(5);
  const state = columns.state ? indexed(columns.state) : above(2);
  const authority = columns.authority ?? {};
  const place = [0, 0];
  objects.areas.geometries.forEach((geometry, index) => {
    const { id } = geometry;
    const ars = id.padEnd(ARS_LENGTH, "0");
    const label = place.map((_, axis) => {
      place[axis] += columns.label[2 * index + axis];
      return place[axis] * transform.scale[axis] + transform.translate[axis];
    });
    geometry.properties = {
      name: columns.name[index],
      designation: designation(index),
      ars,
      authority: index in authority ? authority[index] : ars,
      district: district(index, id),
      state: state(index, id),
      label,
    };
  });
  return topology;
}

const indexed = ({ values, of }) => (index) => values[of[index]];
const above = (digits) => (_, id) => (id.length > digits ? id.slice(0, digits) : null);
