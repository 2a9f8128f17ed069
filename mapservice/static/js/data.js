// What the map fetches: values per filter, geometry per file. Only the last question's answer counts.

import { readGeometry } from "./geometry-file.js";
import { inLanguage } from "./texts.js";

const JSON_TYPES = { headers: { Accept: "application/json" } };

export class FetchError extends Error {
  constructor(status, body) {
    super(body?.description ?? "");
    this.status = status;
    this.parameter = body?.parameter;
    this.allowed = body?.allowed ?? [];
  }
}

async function ask(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new FetchError(response.status, await response.json().catch(() => null));
  return response;
}

async function fetchJson(url, options = {}) {
  return (await ask(url, { ...JSON_TYPES, ...options })).json();
}

/** Detail of the generalised geometry in metres: finer where one looks closer. */
export function detailFor(level, zoom) {
  const large = level === "municipalities" || level === "associations";
  if (zoom < (large ? 7.5 : 8)) return 1000;
  return zoom < (large ? 11 : 10.5) ? 300 : 100;
}

export class Data {
  constructor(urls) {
    this.urls = urls;
    this.files = new Map();
    this.first = document.getElementById("first-values")?.href;
    // The page names the files that were current when it was made: no question before the first fetch.
    this.known = JSON.parse(document.getElementById("geometry-files").textContent);
  }

  /** Values in the order of the level's geometry files. A newer question aborts the one before. */
  async values(level, params) {
    this.valuesRequest?.abort();
    const request = (this.valuesRequest = new AbortController());
    params.set("format", "array");
    let url = `${this.urls.values}${level}?${params}`;
    // What the page's own address asks for is on its way since the page's head.
    if (this.first && params.get("detail") === new URL(this.first).searchParams.get("detail")) url = this.first;
    this.first = null;
    return fetchJson(url, { signal: request.signal });
  }

  /** The current geometry file of a level: {hash, features, areas}. Read once per address. */
  async geometry(level, detail) {
    const key = `${level}/${detail}`;
    if (!this.files.has(key)) this.files.set(key, this.#load(level, detail));
    try {
      return await this.files.get(key);
    } catch (error) {
      this.files.delete(key);
      throw error;
    }
  }

  async #load(level, detail) {
    const params = new URLSearchParams({ level, detail });
    const { hash, href } =
      this.known[`${level}/${detail}`] ?? (await fetchJson(`${this.urls.geometry}?${params}`));
    const answer = await ask(href, JSON_TYPES);
    return { hash, ...readGeometry(new Uint8Array(await answer.arrayBuffer())) };
  }

  forgetGeometry() {
    this.files.clear();
    this.known = {};
  }

  /** One area in a filter, as the HTML of its panel; the last one is kept. */
  async area(ars, level, params) {
    if (level) params.set("level", level);
    params.set("format", "html");
    const url = inLanguage(`${this.urls.areas}${encodeURIComponent(ars)}?${params}`);
    if (this.areaUrl === url) return this.areaAnswer;
    this.areaRequest?.abort();
    const request = (this.areaRequest = new AbortController());
    this.areaUrl = url;
    this.areaAnswer = ask(url, { signal: request.signal }).then((answer) => answer.text());
    try {
      return await this.areaAnswer;
    } catch (error) {
      if (this.areaUrl === url) this.areaUrl = null;
      throw error;
    }
  }

  /** Numbers beside subject areas and life situations; question: level and parameters. */
  facets(question) {
    return fetchJson(this.urls.facets + question);
  }

  /** Names of states, districts and towns. */
  names() {
    return fetchJson(this.urls.names);
  }

  /** Places and services for what somebody types. */
  search(query, signal, type = "all") {
    return fetchJson(inLanguage(`${this.urls.search}?${new URLSearchParams({ q: query, type })}`), { signal });
  }

  /** All services of the catalogue, fetched when first asked for. */
  services() {
    this.serviceList ??= fetchJson(this.urls.services).catch((error) => {
      this.serviceList = undefined;
      throw error;
    });
    return this.serviceList;
  }
}
