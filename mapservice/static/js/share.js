// The map's own address to pass on: copied, or as the code to embed it. The address bar always holds the choice.

import { copyButton } from "./copy.js";

copyButton(document.getElementById("copy-link"), document.getElementById("copy-status"), () => location.href);

const embed = document.getElementById("embed-link");
for (const type of ["pointerdown", "focus", "click"]) {
  embed?.addEventListener(type, () => {
    embed.href = embed.pathname + location.search;
  });
}
