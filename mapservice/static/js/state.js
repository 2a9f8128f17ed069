// What the map shows, as an object, and its two written forms: the page's address and the filter form.
// The address holds what differs from the start map, so that a link stays short and shows the same map.

import { chosenDay, showDay } from "./day-field.js";

export const DEFAULTS = Object.freeze({
  level: "districts",
  measure: "count",
  scope: "own",
  method: "fixed",
  classes: "5",
  breaks: "",
});
const DEFAULT_STATUS = ["online"];
const LISTS = ["subject", "situation", "service", "within", "kind"];
// Filters of one value that are not set on the start map.
const SINGLE = ["maturity", "confirmed", "stand"];
const DAYS = ["confirmed", "stand"];

export function fromAddress(search) {
  const params = new URLSearchParams(search);
  const state = { area: params.get("area") ?? "", lang: params.get("lang") ?? "" };
  for (const name of Object.keys(DEFAULTS)) state[name] = params.get(name) || DEFAULTS[name];
  for (const name of LISTS) state[name] = params.getAll(name).filter(Boolean);
  // Classes of the legend that were picked out: they change no value.
  state.class = params.getAll("class").filter(Boolean);
  if (state.breaks && !params.get("method")) state.method = "own";
  for (const name of SINGLE) state[name] = params.get(name) ?? "";
  const status = params.getAll("status").filter(Boolean);
  state.status = status.length ? status : [...DEFAULT_STATUS];
  return state;
}

/** The filters as query parameters, without those that are as on the start map. */
export function toParams(state, { page = true } = {}) {
  const params = new URLSearchParams();
  if (page && state.level !== DEFAULTS.level) params.set("level", state.level);
  for (const name of LISTS) for (const value of state[name]) params.append(name, value);
  if (state.status.join() !== DEFAULT_STATUS.join()) {
    for (const value of state.status) params.append("status", value);
  }
  for (const name of SINGLE) if (state[name]) params.set(name, state[name]);
  for (const name of ["measure", "scope"]) if (state[name] !== DEFAULTS[name]) params.set(name, state[name]);
  if (state.measure !== "status") addClassing(params, state);
  if (page) for (const code of state.class ?? []) params.append("class", code);
  if (page && state.area) params.set("area", state.area);
  if (state.lang) params.set("lang", state.lang);
  return params;
}

function addClassing(params, { method, classes, breaks }) {
  if (method === "own") params.set("breaks", breaks);
  else if (method !== DEFAULTS.method) {
    params.set("method", method);
    if (classes !== DEFAULTS.classes) params.set("classes", classes);
  }
}

export function toAddress(state, path = location.pathname) {
  const query = toParams(state).toString();
  return query ? `${path}?${query}` : path;
}

/** What the form's one field for regions shows of several. */
function shownRegion(form, state) {
  const key = state.within[0] ?? "";
  const options = [...(form.elements.namedItem("within")?.options ?? [])];
  return options.some((option) => option.value === key) ? key : "";
}

/** Reads the filter form; keeps what the form has no field for: further services and regions, other statuses. */
export function fromForm(form, previous) {
  const data = new FormData(form);
  const state = { ...previous };
  for (const name of Object.keys(DEFAULTS)) state[name] = data.get(name) || DEFAULTS[name];
  keepClassing(state, previous);
  for (const name of ["subject", "kind"]) state[name] = data.getAll(name);
  state.situation = [...data.getAll("situation"), ...notOffered(form, "situation", previous)];
  state.maturity = data.get("maturity") ?? "";
  for (const name of DAYS) state[name] = chosenDay(data, name);
  const service = data.get("service") ?? "";
  if (service !== (previous.service[0] ?? "")) {
    state.service = [service].filter(Boolean);
  }
  // Either services or what lies in subject areas and life situations.
  if (state.service.length) state.subject = state.situation = [];
  const region = data.get("within") ?? "";
  if (region !== shownRegion(form, previous)) state.within = [region].filter(Boolean);
  const status = [...data.getAll("status"), ...notOffered(form, "status", previous)];
  state.status = status.length ? status : [...DEFAULT_STATUS];
  return state;
}

/** Limits of one's own that do not fit, or not the measure, change nothing. */
function keepClassing(state, previous) {
  if (state.method !== "own" || !wrongBreaks(state.breaks, state.measure)) return;
  const kept = previous.method === "own" && wrongBreaks(previous.breaks, state.measure) ? DEFAULTS : previous;
  Object.assign(state, { method: kept.method, classes: kept.classes, breaks: kept.breaks });
}

/** What is wrong with limits as typed: the name of a text, or nothing. The server checks the same (params.py). */
export function wrongBreaks(text, measure) {
  const semicolons = text.includes(";");
  const parts = text.split(semicolons ? ";" : ",").map((part) => part.trim());
  if (!text.trim()) return "breaks_missing";
  const numbers = parts.map((part) => Number(semicolons ? part.replace(",", ".") : part));
  if (parts.some((part) => !part) || numbers.some((value) => !(value >= 0))) return "breaks_numbers";
  if (numbers[0] === 0) numbers.shift();
  if (!numbers.length || numbers.length > 6) return "breaks_how_many";
  if (numbers.some((value, place) => place && value <= numbers[place - 1])) return "breaks_ascending";
  if (measure === "count" && numbers.some((value) => !Number.isInteger(value))) return "breaks_whole";
  if (["share", "spread"].includes(measure) && numbers.at(-1) > 100) return "breaks_percent";
  return "";
}

/** What a link brought along that the form has no box for. */
function notOffered(form, name, previous) {
  const offered = [...form.querySelectorAll(`input[name=${name}]`)].map((input) => input.value);
  return previous[name].filter((value) => !offered.includes(value));
}

export function toForm(form, state) {
  for (const input of form.querySelectorAll("input[type=checkbox], input[type=radio]")) {
    if (!(input.name in state)) continue;
    input.checked = [state[input.name]].flat().includes(input.value);
  }
  for (const name of ["method", "classes", "breaks"]) {
    const field = form.elements.namedItem(name);
    if (field) field.value = state[name];
  }
  const region = form.elements.namedItem("within");
  if (region) region.value = shownRegion(form, state);
  const maturity = form.elements.namedItem("maturity");
  if (maturity) maturity.value = state.maturity;
  for (const name of DAYS) showDay(form, name, state[name]);
}

/** What decides which values the server computes; the same key needs no new request. */
export const valuesKey = (state) => `${state.level}?${toParams({ ...state, lang: "" }, { page: false })}`;
