// Words that scripts show. They stand, translated, in the page: <div id="words" data-copied="Copied" …>.
const language = document.documentElement.lang || "en";

/** Returns a translated text, its {placeholders} filled. */
export function word(name, values = {}) {
  const text = document.getElementById("words")?.dataset[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
}

/** Says something to a screen reader without moving the focus. */
export function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

/** Returns a sprite icon as an SVG element. */
export function iconElement(name) {
  const sprite = document.getElementById("words")?.dataset.sprite ?? "/static/icons.svg";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

export { language };
