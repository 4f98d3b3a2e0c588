// Drag across the last row of a schedule's calendar: the form that puts somebody on call opens with that stretch.
// A mouse drags at once; a finger holds first, so that it can still scroll. Escape lets go. Keyboards have the form.
import { formatInstant } from "./time.js";

const LANE = "[data-drag-to]";
const STEP = 30 * 60_000;
// Pixels that a hand trembles, and milliseconds that a finger holds.
const SLOP = 5;
const HOLD = 350;
const SVG = "http://www.w3.org/2000/svg";

// What is being dragged: { lane, pointerId, x, y, from, isActive, hasMoved, timer, mark, stretch }.
let drag = null;

const midnights = (lane) => lane.dataset.midnights.split(" ").map((text) => Date.parse(text));

/** Returns the instant below a place on the screen, at a half hour counted from its day's midnight. */
function instantAt(lane, x) {
  const edges = midnights(lane);
  const box = lane.getBoundingClientRect();
  const place = Math.min(Math.max((x - box.left) / box.width, 0), 1) * (edges.length - 1);
  const day = Math.min(Math.floor(place), edges.length - 2);
  const begin = edges[day];
  const after = (place - day) * (edges[day + 1] - begin);
  return Math.min(begin + Math.round(after / STEP) * STEP, edges[day + 1]);
}

/** Returns where an instant is on the lane, in percent: days are as wide as any other, however long they are. */
function placeOf(lane, instant) {
  const edges = midnights(lane);
  const day = Math.max(edges.findLastIndex((edge) => edge <= instant), 0);
  if (day >= edges.length - 1) return 100;
  return (100 * (day + (instant - edges[day]) / (edges[day + 1] - edges[day]))) / (edges.length - 1);
}

/** Puts words in the place of the hint below the calendar; without any the hint is back. */
function say(text) {
  for (const hint of document.querySelectorAll("[data-drag-hint]")) {
    hint.dataset.dragHint ||= hint.textContent;
    hint.textContent = text || hint.dataset.dragHint;
    hint.classList.toggle("is-dragging", Boolean(text));
  }
}

function stretchTo(x) {
  const ends = [drag.from, instantAt(drag.lane, x)].sort((one, other) => one - other);
  const [start, end] = [ends[0], Math.max(ends[1], ends[0] + STEP)];
  // What is over can't be changed: only what is left of it is asked for.
  return { start: Math.max(start, Math.min(Date.now(), end)), end, isOver: end <= Date.now() };
}

function draw() {
  const { lane, mark, stretch } = drag;
  const [start, end] = [placeOf(lane, stretch.start), placeOf(lane, stretch.end)];
  mark.classList.toggle("is-over", stretch.isOver);
  mark.setAttribute("x", `${start}%`);
  mark.setAttribute("width", `${Math.max(end - start, 0)}%`);
  const said = [stretch.start, stretch.end].map((at) => formatInstant(new Date(at), "weekdate", lane.dataset.zone));
  const hours = Number(((stretch.end - stretch.start) / 3_600_000).toFixed(1));
  say(stretch.isOver ? lane.dataset.over : `${said.join(" – ")} (${hours} h)`);
}

function begin() {
  clearTimeout(drag.timer);
  drag.isActive = true;
  drag.mark = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ class: "drag-mark", y: 3, height: 42, rx: 5 })) {
    drag.mark.setAttribute(name, value);
  }
  drag.lane.append(drag.mark);
  drag.lane.setPointerCapture(drag.pointerId);
  drag.stretch = stretchTo(drag.x);
  draw();
}

function letGo() {
  if (!drag) return;
  clearTimeout(drag.timer);
  drag.mark?.remove();
  say("");
  drag = null;
}

/** A drag that ends on a bar is no click on it. */
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
}

document.addEventListener("pointerdown", (event) => {
  const lane = event.target.closest?.(LANE);
  if (!lane || event.button !== 0 || !event.isPrimary) return;
  letGo();
  drag = { lane, pointerId: event.pointerId, x: event.clientX, y: event.clientY, isActive: false, hasMoved: false };
  drag.from = instantAt(lane, event.clientX);
  if (event.pointerType === "touch") drag.timer = setTimeout(begin, HOLD);
});

document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointerId) return;
  drag.hasMoved ||= Math.hypot(event.clientX - drag.x, event.clientY - drag.y) >= SLOP;
  if (!drag.hasMoved) return;
  if (!drag.isActive) {
    // A finger that moves before it has held scrolls.
    if (event.pointerType === "touch") {
      letGo();
      return;
    }
    begin();
  }
  drag.stretch = stretchTo(event.clientX);
  draw();
});

document.addEventListener("pointerup", (event) => {
  if (!drag || event.pointerId !== drag.pointerId) return;
  const { lane, isActive, hasMoved, stretch } = drag;
  letGo();
  if (!isActive) return;
  swallowClick();
  if (stretch.isOver || !hasMoved) return;
  const address = new URL(lane.dataset.dragTo, location.href);
  address.searchParams.set("starts_at", new Date(stretch.start).toISOString());
  address.searchParams.set("ends_at", new Date(stretch.end).toISOString());
  location.assign(address);
});

document.addEventListener("pointercancel", letGo);
addEventListener("blur", letGo);
addEventListener("pagehide", letGo);
addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !drag?.isActive) return;
    event.preventDefault();
    event.stopPropagation();
    letGo();
    // The button is still down: its release is no click either.
    addEventListener("pointerup", swallowClick, { capture: true, once: true });
  },
  { capture: true },
);
// A finger that drags does not scroll, nor open the menu of a link; a link is not dragged away.
document.addEventListener("touchmove", (event) => drag?.isActive && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => drag?.timer && event.preventDefault());
document.addEventListener("dragstart", (event) => event.target.closest?.(LANE) && event.preventDefault());

for (const hint of document.querySelectorAll("[data-drag-hint]")) hint.hidden = false;
