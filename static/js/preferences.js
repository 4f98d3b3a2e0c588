// What a browser remembers for its person: theme, width of the rail, single-key shortcuts.
const root = document.documentElement;

/** Returns what was remembered under a name, or null where storage is refused. */
export function recall(name) {
  try {
    return localStorage.getItem(`sitrep.${name}`);
  } catch {
    return null;
  }
}

/** Remembers a text under a name; null forgets it. */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`sitrep.${name}`);
    else localStorage.setItem(`sitrep.${name}`, value);
  } catch {
    // Storage is refused: it holds until the next page.
  }
}

function setTheme(theme) {
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  else delete root.dataset.theme;
  remember("theme", root.dataset.theme ?? null);
  markTheme();
}

function markTheme() {
  const chosen = root.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen));
  }
}

function toggleRail() {
  const narrow = root.dataset.rail !== "narrow";
  if (narrow) root.dataset.rail = "narrow";
  else delete root.dataset.rail;
  remember("rail", narrow ? "narrow" : null);
}

export function startPreferences() {
  markTheme();
  document.addEventListener("click", (event) => {
    const theme = event.target.closest("[data-set-theme]");
    if (theme) setTheme(theme.dataset.setTheme);
    if (event.target.closest("[data-toggle-rail]")) toggleRail();
  });
}
