// Light, dark, or as the system: nothing is stored before the visitor chooses, and "system" forgets the choice.
// Whoever draws by itself listens to the document's event `themechange`.

const KEY = "mapservice-theme";
const root = document.documentElement;
const menu = document.getElementById("theme");
const changed = () => document.dispatchEvent(new Event("themechange"));

function set(theme) {
  if (theme === "light" || theme === "dark") root.dataset.kernTheme = theme;
  else delete root.dataset.kernTheme;
  changed();
}

function choose(theme) {
  set(theme);
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Then the choice holds for this page.
  }
}

if (menu) {
  const present = root.dataset.kernTheme ?? "system";
  for (const radio of menu.querySelectorAll("input")) {
    radio.checked = radio.value === present;
    radio.addEventListener("change", () => choose(radio.value));
  }
  const close = () => (menu.open = false);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    close();
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target)) close();
  });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);

// Paper is white: browsers leave out grounds and would print light letters on it.
let before;
addEventListener("beforeprint", () => {
  before = root.dataset.kernTheme ?? "system";
  set("light");
});
addEventListener("afterprint", () => set(before));
