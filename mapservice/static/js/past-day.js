// Says that a past day is shown, and leads back to today.

import { date, t } from "./texts.js";

export class PastDay {
  /** back: called when today is wanted. */
  constructor(root, back) {
    this.root = root;
    root.querySelector("button").addEventListener("click", () => {
      back();
      document.getElementById("map-title").focus();
    });
  }

  show(day) {
    this.root.hidden = !day;
    this.root.querySelector("strong").textContent = day ? t("past_day", { date: date(day) }) : "";
  }
}
