// In the head of every page, before anything is drawn: light or dark as the visitor chose, else as the system.

(() => {
  const root = document.documentElement;
  // Shows the switch: it needs scripts.
  root.classList.add("themed");
  try {
    const chosen = localStorage.getItem("mapservice-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.kernTheme = chosen;
  } catch {
    // Storage may be forbidden; then every page follows the system.
  }
})();
