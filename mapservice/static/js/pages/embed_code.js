// The code to embed the map follows the size chosen, and is copied by a button.

import { copyButton } from "../copy.js";

for (const button of document.querySelectorAll("[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  copyButton(button, button.nextElementSibling, () => field.value, field);
}

const code = document.getElementById("embed-code");
const preview = document.getElementById("embed-preview");
const form = document.getElementById("embed-size");

// Where nobody may embed there is no form.
if (form) copyButton(document.getElementById("copy-code"), document.getElementById("copy-status"), () => code.value, code);

form?.addEventListener("input", () => {
  if (!form.checkValidity()) return;
  const width = form.elements.namedItem("width").value || "100%";
  const height = form.elements.namedItem("height").value;
  if (!height) return;
  code.value = code.value.replace(/ width="[^"]*"/, ` width="${width}"`).replace(/ height="[^"]*"/, ` height="${height}"`);
  preview.width = width;
  preview.height = height;
});
form?.addEventListener("submit", (event) => event.preventDefault());
