// TopoJSON -> plain arrays. Most of a file is numbers in brackets; as arrays of arrays, one for every vertex, they
// would keep the browser busy for longer than it takes to draw them all.

const [OPENING, CLOSING, COMMA, MINUS, COLON, QUOTE, ZERO, BLANK] = [...'[],-:"0 '].map((sign) => sign.charCodeAt(0));
const NAME = [..."arcs"].map((sign) => sign.charCodeAt(0));

/** Whether the colon before a place ends `"arcs":`. Quotes inside a text have a backslash before them. */
const named = (bytes, place) =>
  bytes[place - 2] === QUOTE && bytes[place - 7] === QUOTE && NAME.every((sign, at) => bytes[place - 6 + at] === sign);

/** The numbers of all `arcs` in a file, one list after the other, and where the brackets around them close. */
class Lists {
  constructor(size) {
    // A number takes two signs at least, an array of numbers four, as does a list's name.
    this.values = new Int32Array(size >> 1);
    this.rings = new Int32Array(size >> 2);
    this.groups = new Int32Array(size >> 2);
    this.starts = new Int32Array(3 * ((size >> 3) + 2));
    this.length = 0;
  }

  /** Reads the nested array that begins at a place; returns the place after it. A hot loop: nothing is made in it. */
  read(bytes, place) {
    const { values, rings, groups, starts } = this;
    let at = place;
    let value = starts[3 * this.length];
    let ring = starts[3 * this.length + 1];
    let group = starts[3 * this.length + 2];
    let depth = 0;
    let closed = false;
    do {
      let sign = bytes[at++];
      if (sign === OPENING) depth += 1;
      else if (sign === CLOSING) {
        depth -= 1;
        // After a number it closes a ring or a vertex, after a bracket what these make up.
        if (closed) groups[group++] = ring;
        else rings[ring++] = value;
        closed = true;
      } else if (sign === COMMA) closed = false;
      else if (sign === MINUS || (sign >= ZERO && sign < ZERO + 10)) {
        const negative = sign === MINUS;
        let number = negative ? 0 : sign - ZERO;
        while ((sign = bytes[at] - ZERO) >= 0 && sign < 10) {
          number = 10 * number + sign;
          at += 1;
        }
        values[value++] = negative ? -number : number;
        closed = false;
      } else if (sign === undefined) throw new SyntaxError("TopoJSON ends within arcs");
    } while (depth);
    this.length += 1;
    starts.set([value, ring, group], 3 * this.length);
    return at;
  }

  /** The places of one list's numbers in `values`: the first, and the one after the last. */
  span(list) {
    return [this.starts[3 * list], this.starts[3 * list + 3]];
  }

  /** Where its arrays of numbers end, as places in `values`. */
  ringEnds(list) {
    return this.rings.subarray(this.starts[3 * list + 1], this.starts[3 * list + 4]);
  }

  /** Where its arrays of such arrays end; the list itself is the last. */
  groupEnds(list) {
    return this.groups.subarray(this.starts[3 * list + 2], this.starts[3 * list + 5]).map((ring) => this.rings[ring - 1]);
  }
}

/** A TopoJSON file's bytes -> {document, lists}: in the document every `arcs` is the number of a list. */
export function readTopology(bytes) {
  const lists = new Lists(bytes.length);
  const kept = new Uint8Array(bytes.length);
  let at = 0;
  let to = 0;
  while (at < bytes.length) {
    const sign = (kept[to++] = bytes[at++]);
    if (sign !== COLON || !named(bytes, at)) continue;
    while (bytes[at] <= BLANK) at += 1;
    if (bytes[at] !== OPENING) continue;
    const number = String(lists.length);
    at = lists.read(bytes, at);
    for (let place = 0; place < number.length; place += 1) kept[to++] = number.charCodeAt(place);
  }
  return { document: JSON.parse(new TextDecoder().decode(kept.subarray(0, to))), lists };
}
