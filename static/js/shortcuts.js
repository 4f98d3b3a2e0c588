// Keys: `data-shortcut="c"` or `"g i"` on a link or button, j/k/x/enter on a table's rows, `?` for help.
import { recall, remember } from "./preferences.js";

const CHORD_MILLISECONDS = 900;
let chord = "";
let chordTimer;

const isTyping = (target) => target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"));
const shortcutsAreOn = () => recall("shortcuts") !== "off";

function rows() {
  const table = document.querySelector("table[data-rows], [data-rows] table");
  return table ? [...table.querySelectorAll("tbody tr")].filter((row) => row.querySelector("a[href]")) : [];
}

function moveRow(step) {
  const all = rows();
  if (!all.length) return false;
  const now = all.findIndex((row) => row.classList.contains("is-current"));
  const next = Math.min(all.length - 1, Math.max(0, now + step));
  all[now]?.classList.remove("is-current");
  all[next].classList.add("is-current");
  all[next].scrollIntoView({ block: "nearest" });
  all[next].querySelector(".cell-title a[href], a[href]").focus({ preventScroll: true });
  return true;
}

function chooseRow() {
  const box = rows().find((row) => row.classList.contains("is-current"))?.querySelector("[data-row-select]");
  box?.click();
  return Boolean(box);
}

function press(key) {
  const target = [...document.querySelectorAll(`[data-shortcut="${CSS.escape(key)}"]`)].find((element) => element.checkVisibility?.() ?? true)
    ?? document.querySelector(`[data-shortcut="${CSS.escape(key)}"]`);
  if (!target) return false;
  if (target.matches("input, textarea")) target.focus();
  else target.click();
  return true;
}

function onKeydown(event) {
  if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing || !shortcutsAreOn()) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key;
  const keys = chord ? `${chord} ${key}` : key;
  clearTimeout(chordTimer);
  chord = "";
  let done = false;
  if (keys === "j") done = moveRow(1);
  else if (keys === "k") done = moveRow(-1);
  else if (keys === "x") done = chooseRow();
  else done = press(keys);
  if (!done && keys === key && document.querySelector(`[data-shortcut^="${CSS.escape(key)} "]`)) {
    chord = key;
    chordTimer = setTimeout(() => (chord = ""), CHORD_MILLISECONDS);
    done = true;
  }
  if (done) event.preventDefault();
}

export function startShortcuts() {
  const apple = /Mac|iPhone|iPad/.test(navigator.platform);
  for (const key of document.querySelectorAll("kbd[data-mod]")) key.textContent = apple ? "⌘" : "Ctrl";
  document.addEventListener("keydown", onKeydown);
  const toggle = document.querySelector("[data-toggle-shortcuts]");
  if (!toggle) return;
  toggle.checked = shortcutsAreOn();
  toggle.addEventListener("change", () => remember("shortcuts", toggle.checked ? null : "off"));
}
