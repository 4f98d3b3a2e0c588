// Runs before the first paint: the theme and the rail's width that this browser chose, so that nothing flickers.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("sitrep.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("sitrep.rail") === "narrow") root.dataset.rail = "narrow";
  } catch {
    // Storage is refused: the system's theme and the wide rail it is.
  }
})();
