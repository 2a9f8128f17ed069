// The areas on the map as places to search for, and the names of regions.

export class Places {
  constructor(form, choropleth) {
    this.form = form;
    this.choropleth = choropleth;
  }

  /** The name of a state or district by its key, as the form's list of regions has it. */
  region(key) {
    const options = this.form.elements.namedItem("within");
    return options.querySelector(`option[value="${CSS.escape(key)}"]`)?.dataset.name ?? "";
  }

  /** Designation and state of an area: what tells namesakes apart. */
  where({ designation, state }) {
    return [designation, this.choropleth.level === "states" ? "" : this.region(state)].filter(Boolean);
  }

  /** Every area of the level that is shown, as items of a combobox. */
  items() {
    const { features } = this.choropleth;
    if (!features) return [];
    if (this.of !== features) {
      this.of = features;
      this.found = features.map(({ id, properties }) => ({
        key: id,
        ars: properties.ars,
        label: properties.name,
        hint: this.where(properties).join(", "),
      }));
    }
    return this.found;
  }
}
