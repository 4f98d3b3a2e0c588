// What others do shows on an open page without a reload: every element with an id and data-refresh is fetched again every
// few seconds, from the address that it names or from the page's own. What a person is using waits for the next time.
import { isInUse } from "./fragments.js";
import { announce } from "./words.js";

const EVERY = 5000;
const PATIENCE = 10000;
let timer;

const addressOf = (element) => new URL(element.dataset.refresh || location.href, location.href).href;

/** What an element says, without what scripts make of it and the hidden tokens, which are others each time. */
function comparable(element) {
  const copy = element.cloneNode(true);
  for (const token of copy.querySelectorAll("[name='csrfmiddlewaretoken']")) token.remove();
  for (const row of copy.querySelectorAll(".is-current")) row.classList.remove("is-current");
  for (const clock of copy.querySelectorAll("relative-time, local-time, duration-clock")) {
    clock.replaceChildren();
    clock.removeAttribute("title");
    clock.removeAttribute("class");
  }
  return copy.outerHTML.replaceAll(' class=""', "");
}

/** Whether the keyboard's focus or a selection would be lost. */
function isHeld(element) {
  const focused = document.activeElement;
  if (focused !== element && element.contains(focused) && focused.matches(":focus-visible")) return true;
  const selection = getSelection();
  return !selection.isCollapsed && element.contains(selection.anchorNode);
}

function show(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old || isInUse(old) || isHeld(old) || comparable(fresh) === comparable(old)) return;
  const placed = document.importNode(fresh, true);
  old.replaceWith(placed);
  window.htmx?.process(placed);
  const urgent = placed.querySelector(".banner-down")?.textContent.trim();
  if (urgent) announce(urgent);
}

/** The tab says how many pages wait for its reader. */
function countInTitle() {
  const waiting = Number(document.querySelector("[data-open-pages]")?.dataset.openPages ?? 0);
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

async function refresh() {
  clearTimeout(timer);
  if (!document.hidden) {
    const addresses = new Set([...document.querySelectorAll("[data-refresh]")].map(addressOf));
    await Promise.all([...addresses].map(fetchFrom));
    countInTitle();
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY * (0.9 + Math.random() / 5));
}

async function fetchFrom(address) {
  try {
    const response = await fetch(address, { headers: { "X-Refresh": "true" }, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-refresh][id]")) if (addressOf(fresh) === address) show(fresh);
  } catch {
    // The server is away: the page stays as it is until it is back.
  }
}

export function startRefresh() {
  if (!document.querySelector("[data-refresh]")) return;
  countInTitle();
  timer = setTimeout(refresh, EVERY);
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
}
