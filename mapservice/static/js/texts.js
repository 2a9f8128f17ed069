// Texts and number forms in the page's language. Texts come from the page's data block (gettext).

const texts = JSON.parse(document.getElementById("texts").textContent);
export const language = document.documentElement.lang || "de";
// British forms: an English date must not read as month first.
const locale = language === "en" ? "en-GB" : language;
const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
const dates = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "numeric" });

export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const number = (value) => numbers.format(value);
export const percent = (value) => percents.format(value);
export const date = (iso) => (iso ? dates.format(new Date(iso)) : "");

/** An address in the page's language; German is what an address without one means. */
export function inLanguage(address) {
  if (language === "de") return address;
  return `${address}${address.includes("?") ? "&" : "?"}lang=${language}`;
}

/** An element with a class and text; text is only ever set as text. */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A link out, only for http(s) addresses; null for anything else. */
export function outwardLink(href, text, className = "kern-link") {
  let url;
  try {
    url = new URL(href);
  } catch {
    return null;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const link = element("a", className, text);
  link.href = url.href;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  return link;
}
