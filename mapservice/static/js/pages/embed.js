// The map in a frame: its link leads to the large map with what is chosen here; little room folds the legend.

const link = document.getElementById("embed-open");
for (const type of ["pointerdown", "focus", "click"]) {
  link.addEventListener(type, () => {
    link.href = link.pathname + location.search;
  });
}
const legend = document.getElementById("legend-fold");
if (legend && (innerHeight < 480 || innerWidth < 480)) legend.open = false;
