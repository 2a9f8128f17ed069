// Colours of what lies around the areas' own: they are tokens in map.css, one set for light and one for dark.

const NAMES = ["ground", "hairline", "hairline-pale", "line", "casing", "ring", "label", "label-quiet", "halo", "grey-ink"];
const GREYS = { no_data: "grey-1", not_responsible: "grey-2", unincorporated: "grey-3" };

/** Whether areas lie on dark ground, where a class has another colour: more is lighter there. */
export const onDark = () =>
  getComputedStyle(document.getElementById("map-page")).getPropertyValue("--map-scheme").trim() === "dark";

/** The present colours by name, and the papers of the three greys by reason. */
export function mapColours() {
  const style = getComputedStyle(document.getElementById("map-page"));
  const read = (name) => style.getPropertyValue(`--map-${name}`).trim();
  const colours = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  colours.greys = Object.fromEntries(Object.entries(GREYS).map(([reason, name]) => [reason, read(name)]));
  return colours;
}
