// The map page: address, form, map, legend and panel follow one state.

import { Chips } from "./chips.js";
import { Choropleth } from "./choropleth.js";
import { Data, detailFor } from "./data.js";
import { Filters } from "./filters.js";
import { Legend } from "./legend.js";
import { keepStill } from "./motion.js";
import { Panel } from "./panel.js";
import { Sheet } from "./sheet.js";
import { DEFAULTS, fromAddress, fromForm, toAddress, toForm, toParams, valuesKey } from "./state.js";
import { element, t } from "./texts.js";
import { Tooltip } from "./tooltip.js";
import { Values } from "./values.js";

// How close a found area is shown: with its surroundings, not alone.
const CLOSEST = { states: 7, districts: 8.5, associations: 9.5, municipalities: 10 };

// What a link may name that is not, or no longer, there. Other filters are checked before the page comes.
const DROPPED = ["service", "situation", "within", "area"];

const isWide = () => matchMedia("(min-width: 62rem)").matches;

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
    // They carry what the form has no field for where no script does.
    for (const input of this.form.querySelectorAll("input[data-kept]")) input.remove();
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
      this.note = null;
      this.#showForm();
      this.show();
    });
    map.on("zoomend", () => this.#refine());
    this.#watchSize();
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
    this.filters.setService(this.state.service[0] ?? "", this.data, this.state.service.length > 1);
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
    this.note = null;
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
        if (error.name !== "AbortError" && !this.#drop(error)) this.#fail(error);
        return;
      }
      if (state !== this.state) return;
      // What a link opens is there at once; what the visitor changes may be followed with the eye.
      if (fit) this.#fit({ animate: this.opened === true });
      this.opened = true;
      this.#say("");
    } else if (fit) this.#fit();
    this.#tellDropped();
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
    else this.form.querySelector("#filter-place").value = "";
  }

  async #showArea({ zoom = false } = {}) {
    const { area } = this.state;
    const bounds = this.choropleth.select(area);
    const index = this.choropleth.byArs?.get(area);
    const feature = index === undefined ? null : this.choropleth.feature(index);
    const value = feature && this.values ? this.values.describe(index) : "";
    this.root.classList.toggle("has-panel", Boolean(area));
    // One authority may have areas at several levels; a link may open one that this level does not have.
    const level = feature ? this.state.level : "";
    const shown = this.panel.show(
      area,
      feature?.properties,
      value,
      this.state,
      () => this.data.area(area, level),
      (error) => this.#drop(error, "area"),
    );
    if (!area || !bounds) return;
    if (zoom) {
      this.moved = true;
      this.map.fitBounds(bounds, { ...this.#padding(), maxZoom: CLOSEST[this.state.level] ?? 10 });
    } else this.#panTo(bounds);
    await shown;
    // On a small screen the panel lies on the map and grows with what it tells.
    if (area === this.state.area && !isWide()) this.#panTo(bounds);
  }

  /** Moves the map as little as it takes to see the area whole, or its middle where it is larger than the room. */
  #panTo(bounds) {
    const { paddingTopLeft, paddingBottomRight } = this.#padding();
    const point = (place) => this.map.latLngToContainerPoint(place);
    const half = point(bounds.getSouthEast()).subtract(point(bounds.getNorthWest())).divideBy(2);
    const free = this.map.getSize().subtract(paddingTopLeft).subtract(paddingBottomRight).divideBy(2);
    const more = L.point(Math.max(0, Math.min(half.x, free.x - 1)), Math.max(0, Math.min(half.y, free.y - 1)));
    this.map.panInside(bounds.getCenter(), {
      paddingTopLeft: more.add(paddingTopLeft),
      paddingBottomRight: more.add(paddingBottomRight),
    });
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
    if (!isWide()) {
      const canvas = this.map.getContainer().parentElement;
      const { root } = this.panel;
      const covered = root.hidden ? 0 : canvas.offsetTop + canvas.offsetHeight - root.offsetTop;
      // Never more than the map has: a bit of it is all there may be.
      const bottom = Math.max(8, Math.min(covered + 8, canvas.offsetHeight - 32));
      return { paddingTopLeft: [8, 8], paddingBottomRight: [8, bottom] };
    }
    return { paddingTopLeft: [250, 12], paddingBottomRight: [this.state.area ? 416 : 56, 12] };
  }

  #fit({ animate = true } = {}) {
    const bounds = this.choropleth.bounds((index) => !this.values?.at(index).outside);
    this.moved = false;
    this.map.fitBounds(bounds, { ...this.#padding(), maxZoom: 11, animate });
  }

  /** Title, chips and legend take from the map's height as they fill; Leaflet sees the window's size alone. */
  #watchSize() {
    const container = this.map.getContainer();
    const moved = () => (this.moved = true);
    this.map.on("dragstart boxzoomend", moved);
    for (const name of ["wheel", "dblclick", "touchmove"]) container.addEventListener(name, moved, { passive: true });
    container.addEventListener("keydown", (event) => {
      if (/^(Arrow|[+=-])/.test(event.key)) moved();
    });
    new ResizeObserver(() => {
      this.map.invalidateSize({ animate: false });
      if (!this.moved && this.values) this.#fit({ animate: false });
      const bounds = this.moved ? null : this.choropleth.select(this.state.area);
      if (bounds) this.#panTo(bounds);
    }).observe(container.parentElement);
  }

  #addZoomButtons() {
    const zoom = (act) => {
      this.moved = true;
      this.map[act]();
    };
    const buttons = { "zoom-in": () => zoom("zoomIn"), "zoom-out": () => zoom("zoomOut"), "zoom-home": () => this.#fit() };
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

  /**
   * A link may name what there is not, or no longer. Then the map goes on without it and says so; false for
   * any other error.
   */
  #drop(error, parameter = error.parameter) {
    if (![400, 404].includes(error.status) || !DROPPED.includes(parameter)) return false;
    const values = [this.state[parameter]].flat().filter(Boolean);
    if (!values.length) return false;
    // One of several is named in the message; a value that is not is given up with the others.
    const wrong = values.filter((value) => error.message.includes(` ${value} `));
    const kept = values.filter((value) => wrong.length && !wrong.includes(value));
    this.state = { ...this.state, [parameter]: parameter === "area" ? "" : kept };
    if (parameter === "service" && ["status", "spread"].includes(this.state.measure)) {
      this.state.measure = DEFAULTS.measure;
    }
    this.note = [...(this.note ?? []), error.message];
    history.replaceState(null, "", toAddress(this.state));
    this.#showForm();
    this.show({ fit: true });
    return true;
  }

  #tellDropped() {
    if (!this.note) {
      if (this.message.classList.contains("map-message--note")) this.message.hidden = true;
      return;
    }
    const close = this.#button(t("close"), () => {
      this.note = null;
      this.message.hidden = true;
      document.getElementById("map-title").focus();
    });
    const start = this.#button(t("without_filters"), () => this.#replace({ ...fromAddress(""), lang: this.state.lang }));
    this.message.className = "map-message map-message--note";
    this.message.replaceChildren(...this.note.map((text) => element("p", "kern-body", text)), start, close);
    this.message.hidden = false;
  }

  #button(label, act) {
    const button = element("button", "kern-btn kern-btn--secondary");
    button.type = "button";
    button.append(element("span", "kern-label", label));
    button.addEventListener("click", act);
    return button;
  }

  #fail(error) {
    clearTimeout(this.sayLater);
    this.root.setAttribute("aria-busy", "false");
    this.shownKey = null;
    if (!this.values) this.legend.result.textContent = "";
    const retry = this.#button(t("retry"), () => this.show({ fit: true }));
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

