// Where an area on the map lies, in words.

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
}
