// The field for a service becomes a combobox: a choice is added to those that are there, any text is searched.

import { Combobox } from "../combobox.js";
import { serviceItems } from "../search.js";
import { inLanguage } from "../texts.js";

for (const box of document.querySelectorAll("[data-services]")) {
  const input = box.querySelector("input");
  const { services, all } = box.dataset;
  const address = services.split("?")[0];
  new Combobox(input, {
    ask: async (query, signal) => {
      const asked = `${address}?${new URLSearchParams({ q: query, type: "services" })}`;
      const response = await fetch(inLanguage(asked), { signal });
      if (!response.ok) throw new Error(response.statusText);
      const items = serviceItems(await response.json());
      const everything = { label: all.replace("{query}", query), text: query };
      return [{ label: "", items: items.length ? [...items, everything] : [] }];
    },
    choose: (item) => {
      input.value = item.text ?? "";
      if (item.key) {
        const chosen = document.createElement("input");
        chosen.type = "hidden";
        chosen.name = "service";
        chosen.value = item.key;
        input.form.append(chosen);
      }
      input.form.requestSubmit();
    },
  });
}
