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

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** What a colour (#rrggbb) of this opacity looks like on a ground: red, green and blue. */
export const over = (colour, ground, opacity) =>
  channels(colour).map((channel, place) => opacity * channel + (1 - opacity) * channels(ground)[place]);

/** WCAG's relative luminance of red, green and blue, 0 to 255. */
const luminance = (parts) =>
  parts
    .map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);

/** WCAG's contrast, 1 to 21, of a shade as `over` gives it to a colour (#rrggbb). */
export function contrast(shade, colour) {
  const [dark, light] = [luminance(shade), luminance(channels(colour))].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
