// "Mein Standort": asks the browser on request alone; the position is compared here and sent nowhere.

import { t } from "./texts.js";

const PATIENCE = 15000;

const position = () =>
  new Promise((resolve, reject) => {
    if (!navigator.geolocation) reject(Object.assign(new Error(), { code: 2 }));
    else navigator.geolocation.getCurrentPosition(resolve, reject, { timeout: PATIENCE });
  });

export class Locate {
  /** geometry(): a promise of the municipalities' file; found(ars): opens one. */
  constructor(button, said, { geometry, found }) {
    this.button = button;
    this.said = said;
    this.geometry = geometry;
    this.found = found;
    button.addEventListener("click", () => this.#locate());
  }

  async #locate() {
    if (this.busy) return;
    this.busy = true;
    this.#say(t("locating"));
    this.button.setAttribute("aria-busy", "true");
    try {
      const { coords } = await position();
      const { features, areas } = await this.geometry();
      const index = areas.holding(coords.longitude, coords.latitude);
      this.#say(index === null ? t("locate_outside") : "");
      if (index !== null) this.found(features.properties(index).ars);
    } catch (error) {
      // Codes of GeolocationPositionError; others come from loading the borders.
      const texts = { 1: "locate_denied", 2: "locate_unavailable", 3: "locate_unavailable" };
      this.#say(t(texts[error.code] ?? "failed"));
    } finally {
      this.busy = false;
      this.button.removeAttribute("aria-busy");
    }
  }

  #say(text) {
    this.said.textContent = text;
    this.said.hidden = !text;
  }
}
