// Who asked the system for less motion gets the map's new place at once. Leaflet itself does not ask.

export function keepStill(map) {
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  map._zoomAnimated = false;
  map.options.inertia = false;
  map.panBy = (offset, options) => L.Map.prototype.panBy.call(map, offset, { ...options, animate: false });
}
