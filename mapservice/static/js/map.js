// The map page: address, form, map, legend and panel follow one state.

import { offerBasemap } from "./basemap.js";
import { Chips } from "./chips.js";
import { Choropleth } from "./choropleth.js";
import { Classing } from "./classing.js";
import { Data, detailFor } from "./data.js";
import { Facets } from "./facets.js";
import { Filters } from "./filters.js";
import { Legend } from "./legend.js";
import { Locate } from "./locate.js";
import { Messages } from "./messages.js";
import { keepStill } from "./motion.js";
import { Names } from "./names.js";
import { correct, readAddress, step, updateLinks, withoutMissing } from "./navigation.js";
import { Panel } from "./panel.js";
import { PastDay } from "./past-day.js";
import { preparePrint } from "./print.js";
import { Places } from "./places.js";
import { isWide } from "./screen.js";
import { Search } from "./search.js";
import { Sheet } from "./sheet.js";
import { fromAddress, fromForm, toForm, toParams, valuesKey } from "./state.js";
import { t } from "./texts.js";
import { Tooltip } from "./tooltip.js";
import { Values } from "./values.js";
import { View } from "./view.js";
import { Walk } from "./walk.js";

class MapPage {
  constructor(map, urls, tiles) {
    this.map = map;
    this.urls = urls;
    keepStill(map);
    preparePrint(map.getContainer().parentElement);
    const container = map.getContainer();
    container.role = "application";
    container.setAttribute("aria-labelledby", "map-title");
    container.setAttribute("aria-describedby", "map-help");
    this.root = document.getElementById("map-page");
    this.form = document.getElementById("filters");
    // They carry what the form has no field for where no script does.
    for (const input of this.form.querySelectorAll("input[data-kept]")) input.remove();
    this.messages = new Messages(this.root, document.getElementById("map-message"));
    this.data = new Data(urls);
    this.legend = new Legend(this.root, urls, (codes) => this.pick(codes));
    this.tooltip = new Tooltip(container, (ars) => this.open(ars));
    this.choropleth = new Choropleth(map)
      .on("hover", (index, point) => this.hover(index, point))
      .on("select", ({ ars }) => this.open(ars));
    this.names = new Names(map, () => this.data.names());
    this.places = new Places(this.form, this.choropleth);
    this.panel = new Panel(document.getElementById("area-panel"), urls, () => this.open(""));
    this.state = readAddress();
    this.filters = new Filters(this.form, {
      data: this.data,
      change: () => this.go(fromForm(this.form, this.state)),
    });
    this.classing = new Classing(document.getElementById("classing"), this.form, () =>
      this.go(fromForm(this.form, this.state)),
    );
    this.facets = new Facets(this.form, this.data);
    this.search = new Search(document.getElementById("search"), {
      data: this.data,
      level: () => this.state.level,
      place: (level, ars) => this.openAt(level, ars),
      service: (key) => {
        // Of a single service one asks whether it is there; a number could only be 0 or 1.
        const measure = this.state.measure === "count" ? "status" : this.state.measure;
        this.replace({ ...this.state, measure, service: [key], situation: [], subject: [] });
      },
    });
    new Locate(document.getElementById("locate"), document.getElementById("locate-said"), {
      geometry: () => this.data.geometry("municipalities", 300),
      found: (ars) => this.openAt("municipalities", ars),
    });
    this.sheet = new Sheet(document.getElementById("rail"), document.getElementById("sheet-button"));
    this.chips = new Chips(document.getElementById("chips"), this.form, this.data, (state) => this.replace(state));
    this.pastDay = new PastDay(document.getElementById("past-day"), () => this.replace({ ...this.state, stand: "" }));
    document.getElementById("reset").addEventListener("click", (event) => {
      event.preventDefault();
      this.reset();
    });
    addEventListener("popstate", () => {
      this.state = readAddress();
      this.note = null;
      this.#showForm();
      this.show();
    });
    this.view = new View(map, this.choropleth, {
      wanted: (index) => !this.values?.at(index).outside,
      ready: () => Boolean(this.values),
      panelRoot: this.panel.root,
      selected: () => this.state.area,
    });
    this.walk = new Walk(map, this.choropleth, this.view, {
      allowed: (index) => !this.values?.at(index).outside,
      words: (index) => this.#words(index),
      show: (index, point) => this.hover(index, point),
      hide: () => this.tooltip.hide(),
      open: (index) => this.open(this.choropleth.properties(index).ars),
      close: () => Boolean(this.state.area) && (this.open(""), true),
    });
    if (tiles) offerBasemap(map, tiles, this.root);
    document.addEventListener("themechange", () => this.#restyle());
    map.on("zoomend", () => this.#refine());
    map.on("movestart", () => this.tooltip.hide());
    this.#showForm();
    this.show({ fit: true });
  }

  #showForm() {
    toForm(this.form, this.state);
    this.filters.setService(this.state.service[0] ?? "", this.data, this.state.service.length > 1);
    this.filters.refresh();
    this.classing.refresh();
  }

  /** Takes over a state that comes from outside the form. */
  replace(state) {
    this.go(state);
    this.#showForm();
  }

  /** Back to the map without filters. */
  reset() {
    this.replace({ ...fromAddress(""), lang: this.state.lang });
  }

  /** Takes over a new state as a step that the back button undoes. */
  go(state) {
    const before = this.state;
    this.note = null;
    state.statusChosen = state.status.join() !== "online";
    if (valuesKey(before) !== valuesKey(state)) state.class = [];
    this.classing.refresh();
    this.state = state;
    step(state);
    this.show({ fit: before.within.join() !== state.within.join() });
  }

  /** Brings map, legend and panel to the state. */
  async show({ fit = false } = {}) {
    const state = this.state;
    const key = valuesKey(state);
    updateLinks(state, this.urls);
    this.chips.show(state);
    this.pastDay.show(state.stand);
    if (key !== this.shownKey) {
      const text = this.choropleth.level === state.level ? t("updating") : t("loading_level");
      this.messages.say(text, { soon: !this.values });
      try {
        await this.#load(state, key);
      } catch (error) {
        if (error.name !== "AbortError" && !this.#drop(error)) this.#fail(error);
        return;
      }
      if (state !== this.state) return;
      // What a link opens is there at once; what the visitor changes may be followed with the eye.
      if (fit) this.view.fit({ animate: this.opened === true });
      this.opened = true;
      this.messages.say("");
    } else if (fit) this.view.fit();
    this.messages.note(this.note, {
      start: () => this.reset(),
      close: () => {
        this.note = null;
        document.getElementById("map-title").focus();
      },
    });
    this.#showArea({ zoom: this.near });
    this.near = false;
    this.facets.show(state);
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
      this.choropleth.setGeometry(geometry, state.level);
      this.shownHash = geometry.hash;
    }
    this.values = new Values(answer, state);
    this.shownKey = key;
    const named = state.class;
    state.class = this.legend.show(this.values, named);
    if (state.class.length < named.length) {
      this.note = [...(this.note ?? []), t("class_gone")];
      correct(state);
      updateLinks(state, this.urls);
    }
    this.#raise();
    this.root.dataset.painted = key;
    this.names.setAreas(this.choropleth.features, state.level);
  }

  /** Raises the areas of the classes that the state names. */
  #raise() {
    this.values.pick(this.state.class);
    this.choropleth.colour((index) => this.values.fill(index));
    this.legend.showPicked(this.state);
  }

  /** Takes over a choice of classes: no step of its own for the back button, as it changes no value. */
  pick(codes) {
    this.state = { ...this.state, class: codes };
    correct(this.state);
    updateLinks(this.state, this.urls);
    this.#raise();
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
    this.choropleth.setGeometry(geometry, level);
    this.shownHash = geometry.hash;
    this.choropleth.colour((index) => this.values.fill(index));
    this.names.setAreas(this.choropleth.features, level);
    this.#showArea();
  }

  /** Light or dark: what the canvases draw around the areas. */
  #restyle() {
    this.choropleth.restyle();
    this.names.restyle();
    if (!this.values) return;
    this.values.restyle();
    this.legend.show(this.values, this.state.class);
    this.#raise();
    this.choropleth.flush();
  }

  hover(index, point) {
    if (index === null || !this.values || !point) {
      this.tooltip.leave();
      return;
    }
    const properties = this.choropleth.properties(index);
    const where = this.places.where(properties).join(" · ");
    const [value, rank] = [this.values.describe(index), this.values.describeRank(index)];
    this.tooltip.show(properties.ars, { name: properties.name, where, value, rank }, point);
  }

  /** An area as it is said: who it is, its value, and the class that its colour stands for. */
  #words(index) {
    const properties = this.choropleth.properties(index);
    const name = [properties.name, ...this.places.where(properties)].join(", ");
    const label = this.values?.at(index).class?.label;
    const value = this.values?.describe(index) ?? "";
    return label ? t("walk_area", { name, value, label }) : `${name}: ${value}`;
  }

  /** Opens an area of a level, which is shown if it is not yet, and goes near. */
  openAt(level, area) {
    if (level === this.state.level) {
      this.open(area, { zoom: true });
      return;
    }
    const measure = level === "municipalities" && this.state.measure === "spread" ? "count" : this.state.measure;
    this.near = true;
    this.walk.ars = area;
    this.replace({ ...this.state, level, measure, area });
    this.sheet.close();
  }

  /** Opens an area's panel, or closes it with an empty key. */
  open(ars, { zoom = false } = {}) {
    if (ars === this.state.area) return;
    this.state = { ...this.state, area: ars };
    step(this.state);
    updateLinks(this.state, this.urls);
    this.#showArea({ zoom });
    if (ars) this.sheet.close();
    else this.search.clear();
  }

  async #showArea({ zoom = false } = {}) {
    const { area } = this.state;
    // By a link as by a click: the keyboard goes on from here.
    if (area) this.walk.ars = area;
    const bounds = this.choropleth.select(area);
    const index = this.choropleth.indexOf(area);
    const properties = index === undefined ? null : this.choropleth.properties(index);
    const value = properties && this.values ? this.values.describe(index) : "";
    this.root.classList.toggle("has-panel", Boolean(area));
    // One authority may have areas at several levels; a link may open one that this level does not have.
    const level = properties ? this.state.level : "";
    const shown = this.panel.show(
      area,
      properties,
      properties ? this.places.where(properties).join(" · ") : "",
      value,
      () => this.data.area(area, level, toParams({ ...this.state, lang: "" }, { page: false })),
      (error) => this.#drop(error, "area"),
    );
    if (!area || !bounds) return;
    if (zoom) this.view.close(bounds, this.state.level);
    else this.view.panTo(bounds);
    await shown;
    // On a small screen the panel lies on the map and grows with what it tells.
    if (area === this.state.area && !isWide()) this.view.panTo(bounds);
  }

  /** A link may name what is not there: then the map goes on without it and says so. False for other errors. */
  #drop(error, parameter) {
    const left = withoutMissing(this.state, error, parameter);
    if (!left) return false;
    this.state = left;
    this.note = [...(this.note ?? []), error.message];
    correct(left);
    this.#showForm();
    this.show({ fit: true });
    return true;
  }

  #fail(error) {
    this.shownKey = null;
    if (!this.values) this.legend.result.textContent = "";
    this.messages.fail(error, () => this.show({ fit: true }));
  }
}

/** tiles: the layer of the operator's base map, if there is one; not on the map yet. */
export function start(map, urls, tiles = null) {
  return new MapPage(map, urls, tiles);
}
