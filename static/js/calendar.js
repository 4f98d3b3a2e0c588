// A calendar that is wider than the screen: it begins at now, and the words of a bar stay in sight while it is scrolled.
const SCROLLER = ".rota-scroll";
// Pixels from a bar's edge to its words, and how much of the past is shown before now.
const INDENT = 12;
const BEFORE_NOW = 72;

/** Moves the words of each bar that begins out of sight to where it comes into sight. */
function keepWords(scroller) {
  const left = scroller.querySelector(".rota-corner").getBoundingClientRect().right;
  for (const bar of scroller.querySelectorAll(".rota-lane > svg")) {
    const text = bar.querySelector("text");
    if (!text) continue;
    text.dataset.indent ??= text.getAttribute("x") ?? INDENT;
    const { left: begin, right: end } = bar.getBoundingClientRect();
    const own = Number(text.dataset.indent);
    const hidden = Math.max(left - begin, 0);
    // Where too little of the bar is left, its words go with it.
    const most = Math.max(end - begin - text.getComputedTextLength() - own, 0);
    text.setAttribute("x", String(own + Math.min(hidden, most)));
  }
}

function beginAtNow(scroller) {
  const now = scroller.querySelector(".now-line");
  if (!now || scroller.scrollWidth <= scroller.clientWidth) return;
  const corner = scroller.querySelector(".rota-corner").getBoundingClientRect().right;
  scroller.scrollLeft += now.getBoundingClientRect().left - corner - BEFORE_NOW;
}

document.addEventListener(
  "scroll",
  (event) => event.target instanceof Element && event.target.matches(SCROLLER) && keepWords(event.target),
  { capture: true, passive: true },
);
for (const scroller of document.querySelectorAll(SCROLLER)) beginAtNow(scroller);
