// The page's address and all links that lead from this map to the same selection elsewhere.

import { DEFAULTS, fromAddress, toAddress, toParams } from "./state.js";

// What a link may name that is not, or no longer, there. Other filters are checked before the page comes.
const DROPPED = ["service", "situation", "within", "area", "stand"];

/** The state that the address bar names. */
export function readAddress() {
  const state = fromAddress(location.search);
  state.statusChosen = new URLSearchParams(location.search).has("status");
  return state;
}

// In a frame a step would be one of the page around it, whose reader would go back inside our map.
const write = document.body.classList.contains("embedded") ? "replaceState" : "pushState";

/** Takes a state into the address bar as a step that the back button undoes. */
export const step = (state) => history[write](null, "", toAddress(state));

/** The same without a step of its own. */
export const correct = (state) => history.replaceState(null, "", toAddress(state));

/** Links to the table, the downloads and the other language, for the same selection. */
export function updateLinks(state, urls) {
  const filters = { ...state, area: "" };
  document.getElementById("table-link").href = toAddress(filters, urls.table);
  for (const link of document.querySelectorAll("a[data-follows]")) {
    const [path, own] = link.dataset.follows.split("?");
    const named = path.includes("{level}");
    const params = toParams("withArea" in link.dataset ? state : filters, { page: !named });
    for (const [name, value] of new URLSearchParams(own)) params.append(name, value);
    link.href = [path.replace("{level}", state.level), params.toString()].filter(Boolean).join("?");
  }
  const other = document.getElementById("language-link");
  other.href = toAddress({ ...state, lang: other.lang === "de" ? "" : other.lang });
}

/** The state without what an answer says is not there; null if the error is about something else. */
export function withoutMissing(state, error, parameter = error.parameter) {
  if (![400, 404].includes(error.status) || !DROPPED.includes(parameter)) return null;
  // Before the first day that there is, that one: not today, which nobody asked for.
  if (parameter === "stand") return error.status === 404 ? { ...state, stand: error.allowed[0] } : null;
  const values = [state[parameter]].flat().filter(Boolean);
  if (!values.length) return null;
  // One of several is named in the message; a value that is not is given up with the others.
  const wrong = values.filter((value) => error.message.includes(` ${value} `));
  const kept = values.filter((value) => wrong.length && !wrong.includes(value));
  const left = { ...state, [parameter]: parameter === "area" ? "" : kept };
  if (parameter === "service" && ["status", "spread"].includes(left.measure)) left.measure = DEFAULTS.measure;
  return left;
}
