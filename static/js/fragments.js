// Parts of a page that are replaced while people look at it.

/** Returns the elements of a piece of HTML. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

/** Whether a person is in the middle of something inside: a menu or dialog that is open, a field, chosen rows. */
export function isInUse(element) {
  if (element.querySelector("details.menu[open], dialog[open], [data-row-select]:checked, inline-edit + .inline-refusal")) return true;
  const focused = document.activeElement;
  if (!element.contains(focused) || focused.closest("inline-edit")) return false;
  if (focused.closest("[data-clears]") && !focused.value) return false;
  return focused.matches("input:not([type=checkbox]), textarea, select");
}
