// A row of tabs that is wider than a phone: the current one is in sight.
export function startTabs() {
  for (const current of document.querySelectorAll(".tabs [aria-current]")) {
    const row = current.closest(".tabs");
    row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }
}
