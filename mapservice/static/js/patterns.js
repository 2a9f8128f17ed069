// The three greys. Each has a pattern of its own, so that they differ from each other and from every class
// without colour. map.css draws the same patterns for the legend.

const DRAW = {
  no_data(context, size) {
    context.beginPath();
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift, size);
      context.lineTo(shift + size, 0);
    }
    context.stroke();
  },
  not_responsible(context, size) {
    context.beginPath();
    context.arc(size / 2, size / 2, size / 6, 0, 2 * Math.PI);
    context.fill();
  },
  unincorporated(context, size) {
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(size, size);
    context.moveTo(size, 0);
    context.lineTo(0, size);
    context.stroke();
  },
};

/** Canvas patterns by reason, for screens of any density. */
export function makePatterns(colours) {
  const size = 7;
  const patterns = {};
  for (const [reason, draw] of Object.entries(DRAW)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const context = tile.getContext("2d");
    context.fillStyle = colours.greys[reason];
    context.fillRect(0, 0, size, size);
    context.strokeStyle = context.fillStyle = colours["grey-ink"];
    context.lineWidth = 0.7;
    draw(context, size);
    patterns[reason] = context.createPattern(tile, "repeat");
  }
  return patterns;
}
