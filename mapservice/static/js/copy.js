// Copies a text to the clipboard and says so where screen readers listen.

/** Copies; `field`, a text field that shows the text, serves browsers that give pages no clipboard. */
async function write(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No secure context, or the reader refused.
  }
  const box = field ?? document.body.appendChild(document.createElement("textarea"));
  const before = document.activeElement;
  if (!field) box.value = text;
  box.select();
  const done = document.execCommand("copy");
  if (!field) box.remove();
  before?.focus();
  return done;
}

/** Makes a button copy what `text()` gives; data-copied and data-failed are what `status` then says. */
export function copyButton(button, status, text, field = null) {
  button.addEventListener("click", async () => {
    status.textContent = "";
    const done = await write(text(), field);
    // A new line after an empty one is read out again.
    status.textContent = done ? button.dataset.copied : button.dataset.failed;
  });
}
