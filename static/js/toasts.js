// Toasts: Django's messages, `HX-Trigger: {"toast": {"message": …, "level": …}}`, and requests that failed.
import { iconElement, word } from "./words.js";

const ICONS = { success: "circle-check", error: "alert-circle", warning: "alert-triangle", info: "info-circle" };
const SECONDS = { success: 5, info: 7, warning: 10 };

/** Shows a toast; an error stays until somebody closes it. `act` is a button in it: {label, run}. */
export function toast(message, level = "info", act = null) {
  const list = document.getElementById("toasts");
  if (!list) return;
  const item = document.createElement("li");
  const known = level in ICONS ? level : "info";
  // What was said and still stands is not said twice.
  for (const said of list.querySelectorAll(`.notice-${known}`)) {
    if (!act && said.querySelector(".notice-words").textContent === message) said.remove();
  }
  item.className = `notice notice-${known}`;
  const words = document.createElement("div");
  words.className = "notice-words";
  words.textContent = message;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-quiet btn-sm btn-icon";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", word("dismiss"));
  close.append(iconElement("x"));
  item.append(iconElement(ICONS[known]), words);
  if (act) item.append(actButton(item, act));
  item.append(close);
  list.append(item);
  leaveInTime(item, known);
}

function actButton(item, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-sm btn-quiet";
  made.textContent = act.label;
  made.addEventListener("click", () => {
    item.remove();
    act.run();
  });
  return made;
}

function leaveInTime(item, level) {
  const seconds = SECONDS[level];
  if (!seconds) return;
  let timer = setTimeout(() => item.remove(), seconds * 1000);
  item.addEventListener("pointerenter", () => clearTimeout(timer));
  item.addEventListener("focusin", () => clearTimeout(timer));
  item.addEventListener("pointerleave", () => {
    timer = setTimeout(() => item.remove(), 2000);
  });
}

export function startToasts() {
  for (const item of document.querySelectorAll("#toasts .notice")) leaveInTime(item, item.dataset.level);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".notice, .banner, .advice")?.remove();
  });
  document.body.addEventListener("toast", (event) => toast(event.detail.message ?? event.detail.value, event.detail.level));
  document.body.addEventListener("htmx:sendError", () => toast(word("offline"), "error"));
  document.body.addEventListener("htmx:timeout", () => toast(word("offline"), "error"));
  document.body.addEventListener("htmx:responseError", (event) => {
    const request = event.detail.xhr;
    if (request.getResponseHeader("HX-Trigger")?.includes("toast")) return;
    const id = request.getResponseHeader("X-Request-ID");
    const reason = request.status === 403 ? word("forbidden") : request.status === 404 ? word("missing") : word("failed");
    toast(id ? `${reason} ${word("quote", { id })}` : reason, "error");
  });
}
