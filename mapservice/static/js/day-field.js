// A choice among days, with a field for a day of one's own that is there when it is wanted.

import { t } from "./texts.js";

export const OWN_DAY = "day";

export class DayField {
  /** name: of the parameter; the form has a select of this name and a date field `name_day`. */
  constructor(form, name) {
    this.choice = form.elements.namedItem(name);
    this.day = form.elements.namedItem(`${name}_day`);
    this.box = form.querySelector(`#${name}-day-field`);
    this.error = form.querySelector(`#${name}-error`);
  }

  /** Whether a change is one to show: a day may be half typed, or not be there yet. Null: of another field. */
  accepts(target) {
    if (target === this.choice) {
      const own = this.choice.value === OWN_DAY;
      if (!own) this.day.value = "";
      this.refresh();
      if (own) this.day.focus();
      return !own;
    }
    if (target !== this.day) return null;
    const { valid, rangeOverflow, rangeUnderflow } = this.day.validity;
    const wrong = rangeOverflow ? "day_in_future" : rangeUnderflow ? "day_too_early" : "day_unreadable";
    this.error.textContent = valid ? "" : t(wrong);
    this.day.ariaInvalid = valid ? null : "true";
    return valid;
  }

  refresh() {
    const own = this.choice.value === OWN_DAY;
    this.box.hidden = !own;
    if (own) return;
    this.error.textContent = "";
    this.day.ariaInvalid = null;
  }
}

/** The day that a form chooses: one of those offered, or one's own; empty without. */
export function chosenDay(data, name) {
  const chosen = data.get(name) ?? "";
  if (chosen === OWN_DAY) return data.get(`${name}_day`) ?? "";
  return chosen === "any" ? "" : chosen;
}

/** Brings the form's two fields to a day. */
export function showDay(form, name, day) {
  const choice = form.elements.namedItem(name);
  if (!choice) return;
  const offered = [...choice.options].slice(1).some((option) => option.value === day);
  if (!day) choice.selectedIndex = 0;
  else choice.value = offered ? day : OWN_DAY;
  form.elements.namedItem(`${name}_day`).value = offered ? "" : day;
}
