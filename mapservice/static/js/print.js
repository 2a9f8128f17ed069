// The map on paper: the canvas as it is on screen, scaled as a whole (map.css), since there is no time for another
// size. Its colours are the light ones by then (theme.js), drawn at once.

/** Tells the style sheet the map's size when printing begins. */
export function preparePrint(canvas) {
  addEventListener("beforeprint", () => {
    canvas.style.setProperty("--printed-width", canvas.offsetWidth);
    canvas.style.setProperty("--printed-height", canvas.offsetHeight);
  });
}
