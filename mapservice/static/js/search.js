// The one search field: places to open, services to filter by.

import { Combobox } from "./combobox.js";
import { t } from "./texts.js";

// Of a place with areas at several levels the one shown is taken, else the first of these.
const PREFERRED = ["states", "districts", "municipalities", "associations"];

// The better group stands first, as Enter takes its best.
const MATCHES = ["key", "exact", "prefix", "word", "words", "within", "similar"];

/** Services as items of a combobox. */
export const serviceItems = (answer) =>
  answer.services.map((found) => ({
    key: found.key,
    label: found.name,
    hint: [found.word && t("quoted", { text: found.word }), found.hint].filter(Boolean).join(" · "),
  }));

/** The area of a place to open at the level that is shown, or at another; null: it has none on the map. */
export function areaOf(place, level) {
  for (const wanted of [level, ...PREFERRED]) {
    const area = place.areas.find((item) => item.level === wanted);
    if (area) return area;
  }
  return null;
}

export class Search {
  /** place(level, ars) opens an area; service(key) sets the filter; level(): what the map shows. */
  constructor(form, { data, place, service, level }) {
    this.input = form.querySelector("#search-field");
    form.addEventListener("submit", (event) => event.preventDefault());
    new Combobox(this.input, {
      ask: async (query, signal) => {
        const answer = await data.search(query, signal);
        const places = { label: t("places"), items: answer.places.map((found) => ({ ...found, label: found.name })) };
        const services = { label: t("services"), items: serviceItems(answer) };
        const best = (found) => (found.length ? MATCHES.indexOf(found[0].match) : MATCHES.length);
        return best(answer.services) < best(answer.places) ? [services, places] : [places, services];
      },
      choose: (item) => {
        if (item.key) {
          this.clear();
          service(item.key);
          return;
        }
        const area = areaOf(item, level());
        if (area) place(area.level, area.ars);
        else location.assign(item.href);
      },
    });
  }

  clear() {
    this.input.value = "";
  }
}
