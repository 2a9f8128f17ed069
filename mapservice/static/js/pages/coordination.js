// The field for one's own authority becomes a combobox; a choice is sent by its key, which is unique.

import { Combobox } from "../combobox.js";
import { inLanguage } from "../texts.js";

function keyed(input) {
  // What is shown is the name; what is sent is the key as long as the name is untouched.
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  const { name } = input;
  const send = (key) => {
    hidden.value = key;
    hidden.name = key ? name : "";
    if (key) input.removeAttribute("name");
    else input.name = name;
  };
  input.after(hidden);
  send(input.dataset.key ?? "");
  input.addEventListener("input", () => send(""));
  return send;
}

for (const box of document.querySelectorAll("[data-authority]")) {
  const input = box.querySelector("input");
  const address = box.dataset.authority.split("?")[0];
  const send = keyed(input);
  new Combobox(input, {
    ask: async (query, signal) => {
      const asked = `${address}?${new URLSearchParams({ q: query, type: "places" })}`;
      const response = await fetch(inLanguage(asked), { signal });
      if (!response.ok) throw new Error(response.statusText);
      const { places } = await response.json();
      return [{ label: "", items: places.map((place) => ({ ...place, label: place.name })) }];
    },
    choose: (item) => {
      send(item.ars);
      if (input.form.dataset.asks !== "no") input.form.requestSubmit();
    },
    clear: () => send(""),
  });
}
