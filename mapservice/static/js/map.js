// The map page: address, form, map, legend and panel follow one state.

import { Chips } from "./chips.js";
import { Choropleth } from "./choropleth.js";
import { Data, detailFor } from "./data.js";
import { Filters } from "./filters.js";
import { Legend } from "./legend.js";
import { keepStill } from "./motion.js";
import { Panel } from "./panel.js";
import { Sheet } from "./sheet.js";
import { fromAddress, fromForm, toAddress, toForm, toParams, valuesKey } from "./state.js";
import { element, t } from "./texts.js";
import { Tooltip } from "./tooltip.js";
import { Values } from "./values.js";

// How close a found area is shown: with its surroundings, not alone.
const CLOSEST = { states: 7, districts: 8.5, associations: 9.5, municipalities: 10 };

class MapPage {
  constructor(map, urls) {
    this.map = map;
    this.urls = urls;
    keepStill(map);
    const container = map.getContainer();
    container.role = "application";
    container.setAttribute("aria-labelledby", "map-title");
    container.setAttribute("aria-describedby", "map-help");
    this.root = document.getElementById("map-page");
    this.form = document.getElementById("filters");
    this.message = document.getElementById("map-message");
    this.data = new Data(urls);
    this.legend = new Legend(this.root);
    this.tooltip = new Tooltip(map.getContainer());
    this.choropleth = new Choropleth(map)
      .on("hover", (index, point) => this.hover(index, point))
      .on("select", (feature) => this.open(feature.properties.ars));
    this.panel = new Panel(document.getElementById("area-panel"), urls, () => this.open(""));
    this.state = this.#readAddress();
    this.filters = new Filters(this.form, {
      data: this.data,
      places: () => this.#places(),
      pick: (item) => this.open(item.ars, { zoom: true }),
      change: () => this.go(fromForm(this.form, this.state)),
    });
    this.sheet = new Sheet(document.getElementById("rail"), document.getElementById("sheet-button"));
    this.chips = new Chips(document.getElementById("chips"), this.form, this.data, (state) => this.#replace(state));
    document.getElementById("reset").addEventListener("click", (event) => {
      event.preventDefault();
      this.#replace({ ...fromAddress(""), lang: this.state.lang });
    });
    addEventListener("popstate", () => {
      this.state = this.#readAddress();
      this.#showForm();
      this.show();
    });
    map.on("zoomend", () => this.#refine());
    map.on("movestart", () => this.tooltip.hide());
    this.#addZoomButtons();
    map.fitBounds(this.choropleth.bounds(() => false), { ...this.#padding(), animate: false });
    this.#showForm();
    this.show({ fit: true });
  }

  #readAddress() {
    const state = fromAddress(location.search);
    state.statusChosen = new URLSearchParams(location.search).has("status");
    return state;
  }

  #showForm() {
    toForm(this.form, this.state);
    this.filters.setService(this.state.service[0] ?? "", this.data);
    this.filters.refresh();
  }

  /** Takes over a state that comes from outside the form. */
  #replace(state) {
    this.go(state);
    this.#showForm();
  }

  /** Takes over a new state as a step that the back button undoes. */
  go(state) {
    const before = this.state;
    state.statusChosen = state.status.join() !== "online";
    this.state = state;
    history.pushState(null, "", toAddress(state));
    const fit = before.within.join() !== state.within.join();
    this.show({ fit });
  }

  /** Brings map, legend and panel to the state. */
  async show({ fit = false } = {}) {
    const state = this.state;
    const key = valuesKey(state);
    const tableLink = document.getElementById("table-link");
    tableLink.href = toAddress({ ...state, area: "" }, this.urls.table);
    for (const id of ["download-csv", "download-xlsx"]) {
      const link = document.getElementById(id);
      link.href = toAddress({ ...state, area: "" }, new URL(link.href).pathname);
    }
    const languageLink = document.getElementById("language-link");
    languageLink.href = toAddress({ ...state, lang: languageLink.lang === "de" ? "" : languageLink.lang });
    this.chips.show(state);
    if (key !== this.shownKey) {
      this.#say(this.choropleth.level === state.level ? t("updating") : t("loading_level"));
      try {
        await this.#load(state, key);
      } catch (error) {
        if (error.name !== "AbortError") this.#fail(error);
        return;
      }
      if (state !== this.state) return;
      // What a link opens is there at once; what the visitor changes may be followed with the eye.
      if (fit) this.#fit({ animate: this.opened === true });
      this.opened = true;
      this.#say("");
    } else if (fit) this.#fit();
    this.#showArea();
  }

  async #load(state, key) {
    const params = toParams(state, { page: false });
    const detail = detailFor(state.level, this.map.getZoom());
    params.set("detail", detail);
    const ask = () => Promise.all([this.data.values(state.level, params), this.data.geometry(state.level, detail)]);
    let [answer, geometry] = await ask();
    if (answer.geometry.hash !== geometry.hash) {
      // A newer boundary release became current in between.
      this.data.forgetGeometry();
      [answer, geometry] = await ask();
    }
    if (state !== this.state) return;
    if (this.shownHash !== geometry.hash) {
      this.choropleth.setGeometry(geometry.topology, state.level);
      this.shownHash = geometry.hash;
    }
    this.values = new Values(answer, state);
    this.shownKey = key;
    this.choropleth.colour((index) => this.values.fill(index));
    this.legend.show(this.values);
    this.root.dataset.painted = key;
  }

  /** Finer borders once one looks closer; the values' order is the same in every detail. */
  async #refine() {
    const { level } = this.state;
    if (this.choropleth.level !== level || !this.values) return;
    const detail = detailFor(level, this.map.getZoom());
    if (this.detail === `${level}/${detail}`) return;
    this.detail = `${level}/${detail}`;
    const geometry = await this.data.geometry(level, detail).catch(() => null);
    const wanted = `${level}/${detailFor(level, this.map.getZoom())}`;
    if (!geometry || this.state.level !== level || this.detail !== wanted || this.shownHash === geometry.hash) return;
    this.choropleth.setGeometry(geometry.topology, level);
    this.shownHash = geometry.hash;
    this.choropleth.colour((index) => this.values.fill(index));
    this.#showArea();
  }

  hover(index, point) {
    if (index === null || !this.values || !point) {
      this.tooltip.hide();
      return;
    }
    const { name, designation, state } = this.choropleth.feature(index).properties;
    const land = this.state.level === "states" ? "" : this.#regionName(state);
    this.tooltip.show(
      { name, where: [designation, land].filter(Boolean).join(" · "), value: this.values.describe(index) },
      point,
    );
  }

  #regionName(key) {
    return this.form.elements.namedItem("within").querySelector(`option[value="${CSS.escape(key)}"]`)?.dataset.name ?? "";
  }

  /** Opens an area's panel, or closes it with an empty key. */
  open(ars, { zoom = false } = {}) {
    if (ars === this.state.area) return;
    this.state = { ...this.state, area: ars };
    history.pushState(null, "", toAddress(this.state));
    this.#showArea({ zoom });
    if (ars) this.sheet.close();
  }

  #showArea({ zoom = false } = {}) {
    const { area } = this.state;
    const bounds = this.choropleth.select(area);
    const index = this.choropleth.byArs?.get(area);
    const feature = index === undefined ? null : this.choropleth.feature(index);
    const value = feature && this.values ? this.values.describe(index) : "";
    this.root.classList.toggle("has-panel", Boolean(area));
    // One authority may have areas at several levels; a link may open one that this level does not have.
    const level = feature ? this.state.level : "";
    this.panel.show(area, feature?.properties, value, this.state, () => this.data.area(area, level));
    if (area && bounds) {
      const room = this.#padding();
      if (zoom) this.map.fitBounds(bounds, { ...room, maxZoom: CLOSEST[this.state.level] ?? 10 });
      else this.map.panInside(bounds.getCenter(), room);
    }
  }

  #places() {
    if (!this.choropleth.features) return [];
    if (this.placesOf !== this.choropleth.features) {
      this.placesOf = this.choropleth.features;
      this.placeItems = this.placesOf.map(({ id, properties: { ars, name, designation, state } }) => ({
        key: id,
        ars,
        label: name,
        hint: [designation, this.state.level === "states" ? "" : this.#regionName(state)].filter(Boolean).join(", "),
      }));
    }
    return this.placeItems;
  }

  /** Room that title, legend and panel take from the map, so that areas are fitted into the rest. */
  #padding() {
    const wide = matchMedia("(min-width: 62rem)").matches;
    if (!wide) return { paddingTopLeft: [8, 8], paddingBottomRight: [8, 8] };
    return { paddingTopLeft: [250, 12], paddingBottomRight: [this.state.area ? 416 : 56, 12] };
  }

  #fit({ animate = true } = {}) {
    const bounds = this.choropleth.bounds((index) => !this.values.at(index).outside);
    this.map.fitBounds(bounds, { ...this.#padding(), maxZoom: 11, animate });
  }

  #addZoomButtons() {
    const buttons = { "zoom-in": () => this.map.zoomIn(), "zoom-out": () => this.map.zoomOut(), "zoom-home": () => this.#fit() };
    for (const [id, act] of Object.entries(buttons)) document.getElementById(id).addEventListener("click", act);
  }

  #say(text) {
    clearTimeout(this.sayLater);
    this.root.setAttribute("aria-busy", String(Boolean(text)));
    if (!text) {
      this.message.hidden = true;
      return;
    }
    // Most answers come at once; a message that flashes by is worse than none.
    this.sayLater = setTimeout(() => {
      this.message.className = "map-message";
      this.message.replaceChildren(element("p", "kern-body", text));
      this.message.hidden = false;
    }, this.values ? 250 : 0);
  }

  #fail(error) {
    clearTimeout(this.sayLater);
    this.root.setAttribute("aria-busy", "false");
    this.shownKey = null;
    const retry = element("button", "kern-btn kern-btn--secondary");
    retry.type = "button";
    retry.append(element("span", "kern-label", t("retry")));
    retry.addEventListener("click", () => this.show({ fit: true }));
    this.message.className = "map-message map-message--error";
    this.message.replaceChildren(
      element("p", "kern-body kern-body--bold", t("failed")),
      element("p", "kern-body", error.message || t("failed_hint")),
      retry,
    );
    this.message.hidden = false;
  }
}

export function start(map, urls) {
  return new MapPage(map, urls);
}

