// The operator's base map: nothing is asked of its host before the visitor agrees, and agreeing holds for this
// visit alone: it is kept in memory, neither stored nor in the address.

export function offerBasemap(map, layer, root) {
  const part = (name) => document.getElementById(`basemap-${name}`);
  const button = part("button");
  if (!button) return;
  const consent = part("consent");
  const status = part("status");
  let agreed = false;

  const show = (on) => {
    if (on) layer.addTo(map);
    else layer.remove();
    root.classList.toggle("has-basemap", on);
    button.setAttribute("aria-pressed", String(on));
    part("source").hidden = !on;
    status.textContent = "";
  };
  const ask = (open) => {
    consent.hidden = !open;
    (open ? part("question") : button).focus();
  };

  button.addEventListener("click", () => {
    if (agreed) show(!map.hasLayer(layer));
    else ask(consent.hidden);
  });
  part("yes").addEventListener("click", () => {
    agreed = true;
    button.textContent = button.dataset.on;
    ask(false);
    show(true);
  });
  part("no").addEventListener("click", () => ask(false));
  consent.addEventListener("keydown", (event) => {
    if (event.key === "Escape") ask(false);
  });
  let loaded = 0;
  layer.on("tileload", () => {
    loaded += 1;
    status.textContent = "";
  });
  layer.on("tileerror", () => {
    if (!loaded) status.textContent = status.dataset.failed;
  });
}
