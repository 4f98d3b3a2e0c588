// The editor of a workflow: steps are added, moved, copied and removed on the page; the order of the hidden fields `layout`
// tells the server how they lie within each other. Names of facts complete themselves behind {{.
import { parse } from "./fragments.js";
import { toast } from "./toasts.js";
import { announce, word } from "./words.js";

const form = document.getElementById("workflow-form");
const picker = document.getElementById("step-picker");
const STEP = "[data-step]";
const BLOCK = "[data-block]";

const stepsOf = (block) => [...block.querySelectorAll(`:scope > ${STEP}`)];
const wordsOf = (step) => step.querySelector(".step-words").textContent.trim().replace(/\s+/g, " ");

/** Tells whoever previews the form, and marks it as not saved. */
function changed() {
  form.dataset.dirty = "yes";
  form.dispatchEvent(new Event("steps-changed", { bubbles: true }));
}

async function post(address, extra = {}) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  try {
    const response = await fetch(address, { method: "POST", body });
    if (response.ok) return await response.text();
    toast(word(response.status === 403 ? "forbidden" : "failed"), "error");
  } catch {
    toast(word("offline"), "error");
  }
  return null;
}

/** Shows what works only with a script. */
function wake(scope) {
  for (const button of scope.querySelectorAll("[data-add-row], [data-add-select]")) button.hidden = false;
}

// --- Adding ----------------------------------------------------------------------------------------------------------
let target = null;

function openPicker(button) {
  target = button.closest(".steps-add").previousElementSibling;
  const search = picker.querySelector("[data-picker-search]");
  search.value = "";
  filterPicker("");
  picker.showModal();
  search.focus();
}

/** The step that Enter takes: one of which a word begins so, before one that only has it somewhere. */
function bestPick(text) {
  const items = [...picker.querySelectorAll("[data-pick]")].filter((item) => !item.closest("[hidden]"));
  const typed = text.trim().toLowerCase();
  return items.find((item) => item.textContent.toLowerCase().trim().startsWith(typed)) ?? items.find((item) => ` ${item.textContent.toLowerCase()}`.includes(` ${typed}`)) ?? items[0];
}

function filterPicker(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const group of picker.querySelectorAll("[data-picker-group]")) {
    const heading = group.querySelector("h3").textContent.toLowerCase();
    let inGroup = 0;
    for (const item of group.querySelectorAll("li")) {
      const all = `${item.textContent} ${item.firstElementChild.dataset.pick} ${heading}`.toLowerCase();
      item.hidden = !words.every((each) => all.includes(each));
      if (!item.hidden) inGroup += 1;
    }
    group.hidden = inGroup === 0;
    shown += inGroup;
  }
  picker.querySelector("[data-picker-empty]").hidden = shown > 0;
  for (const item of picker.querySelectorAll("[data-pick]")) item.classList.toggle("is-active", Boolean(text) && item === bestPick(text));
}

function onPickerKey(event) {
  const items = [...picker.querySelectorAll("[data-pick]")].filter((item) => item.checkVisibility());
  const now = items.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    items[Math.min(items.length - 1, Math.max(0, now + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
  } else if (event.key === "Enter" && event.target.matches("[data-picker-search]")) {
    event.preventDefault();
    bestPick(event.target.value)?.click();
  }
}

async function addStep(kind) {
  picker.close();
  const html = await post(form.dataset.stepNew, { kind });
  if (html === null) return;
  const [step] = parse(html);
  target.append(step);
  wake(step);
  changed();
  step.scrollIntoView({ block: "nearest" });
  (step.querySelector(".step-fields :is(input:not([type=hidden]), select, textarea)") ?? step.querySelector("summary")).focus();
}

async function copyStep(button) {
  const step = button.closest(STEP);
  const html = await post(button.dataset.copyStep);
  if (html === null) return;
  const [copy] = parse(html);
  step.after(copy);
  changed();
  copy.querySelector("summary").focus();
}

// --- Opening ---------------------------------------------------------------------------------------------------------
async function fillFold(fold) {
  if (!fold.open || fold.querySelector(".step-fields") || fold.dataset.busy) return;
  fold.dataset.busy = "yes";
  const html = await post(fold.dataset.formUrl);
  delete fold.dataset.busy;
  if (html === null) return;
  const body = fold.querySelector(".step-body");
  body.replaceChildren(...parse(html));
  wake(body);
}

function goToStep(key) {
  const step = document.getElementById(`step-${key}`);
  if (!step) return;
  const fold = step.querySelector(":scope > .step-fold");
  fold.open = true;
  step.scrollIntoView({ block: "center" });
  fold.querySelector("summary").focus();
}

// --- Moving ----------------------------------------------------------------------------------------------------------
function told(step) {
  const block = step.closest(BLOCK);
  announce(`${wordsOf(step)}: ${stepsOf(block).indexOf(step) + 1}/${stepsOf(block).length}`);
  changed();
}

/** Past the one above or below; at the end of a block out of it, next to the step that holds it. */
function moveStep(step, direction, focused) {
  const other = direction < 0 ? step.previousElementSibling : step.nextElementSibling;
  if (other) {
    if (direction < 0) other.before(step);
    else other.after(step);
  } else {
    const holder = step.closest(BLOCK).closest(STEP);
    if (!holder) return;
    if (direction < 0) holder.before(step);
    else holder.after(step);
  }
  focused.focus();
  told(step);
}

let dragged = null;
let home = null;

function onDragStart(event) {
  const handle = event.target.closest?.("[data-drag-handle]");
  if (!handle) return;
  dragged = handle.closest(STEP);
  home = { block: dragged.parentElement, before: dragged.nextElementSibling };
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", wordsOf(dragged));
  event.dataTransfer.setDragImage(dragged, 20, 20);
  dragged.classList.add("is-dragged");
  form.classList.add("is-dragging");
}

/** Where it would lie if it were dropped here: beside a row, at the beginning of a block within one, at the end of a block. */
function onDragOver(event) {
  if (!dragged) return;
  const at = (selector) => event.target.closest?.(selector);
  if (dragged.contains(event.target)) {
    event.preventDefault();
    return;
  }
  const end = at(".steps-add")?.previousElementSibling;
  const begin = at(".step-block-name")?.nextElementSibling;
  const row = at(STEP);
  if (end) end.append(dragged);
  else if (begin) begin.prepend(dragged);
  else if (row) {
    const head = row.querySelector(":scope > .step-fold").getBoundingClientRect();
    if (event.clientY > head.bottom) return;
    const within = row.querySelector(`:scope > .step-block > ${BLOCK}`);
    if (event.clientY < head.top + head.height / 2) row.before(dragged);
    else if (within) within.prepend(dragged);
    else row.after(dragged);
  } else return;
  event.preventDefault();
}

function onDragEnd(event) {
  if (!dragged) return;
  const step = dragged;
  dragged = null;
  step.classList.remove("is-dragged");
  form.classList.remove("is-dragging");
  if (event.dataTransfer.dropEffect === "none") home.block.insertBefore(step, home.before);
  else told(step);
}

// --- Removing, and taking it back ------------------------------------------------------------------------------------
function removeStep(step) {
  const block = step.parentElement;
  const next = step.nextElementSibling ?? step.previousElementSibling;
  const row = document.createElement("li");
  row.className = "step-gone";
  const text = document.createElement("span");
  text.textContent = document.getElementById("editor-words").dataset.removed.replace("{name}", wordsOf(step));
  const undo = document.createElement("button");
  undo.type = "button";
  undo.className = "btn btn-sm";
  undo.textContent = document.getElementById("editor-words").dataset.undo;
  undo.addEventListener("click", () => {
    row.replaceWith(step);
    step.querySelector("summary").focus();
    changed();
  });
  row.append(text, undo);
  for (const older of block.querySelectorAll(":scope > .step-gone")) older.remove();
  step.replaceWith(row);
  undo.focus();
  announce(text.textContent);
  changed();
  return next;
}

// --- Names behind {{ -------------------------------------------------------------------------------------------------
const names = [...(document.getElementById("condition-facts")?.options ?? [])].map((option) => option.value);
const list = document.createElement("ul");
list.className = "completions";
list.id = "completions";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", document.getElementById("editor-words").dataset.names);
list.hidden = true;
let asking = null;

/** What is being typed behind the last {{ before the caret; null outside of one. */
function partial(field) {
  const before = field.value.slice(0, field.selectionStart ?? 0);
  const found = /\{\{\s*([\w.]*)$/.exec(before);
  return found ? { text: found[1], from: before.length - found[1].length } : null;
}

function showNames(field) {
  const typed = partial(field);
  const fitting = typed ? names.filter((name) => name.includes(typed.text)).sort((a, b) => a.indexOf(typed.text) - b.indexOf(typed.text)).slice(0, 8) : [];
  if (!fitting.length) {
    hideNames();
    return;
  }
  asking = field;
  list.replaceChildren(
    ...fitting.map((name, index) => {
      const item = document.createElement("li");
      item.id = `completion-${index}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === 0));
      item.textContent = name;
      return item;
    }),
  );
  field.after(list);
  list.hidden = false;
  field.setAttribute("aria-controls", "completions");
  field.setAttribute("aria-activedescendant", "completion-0");
}

function hideNames() {
  list.hidden = true;
  asking?.removeAttribute("aria-activedescendant");
  asking = null;
}

function takeName(item) {
  const field = asking;
  const typed = partial(field);
  if (!typed) return;
  const rest = field.value.slice(field.selectionStart);
  const close = /^\s*\}\}/.test(rest) ? "" : " }}";
  field.setRangeText(item.textContent + close, typed.from, field.selectionStart, "end");
  hideNames();
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function onCompletionKey(event) {
  if (list.hidden || event.target !== asking) return false;
  const items = [...list.children];
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = (now + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
    items[now].setAttribute("aria-selected", "false");
    items[next].setAttribute("aria-selected", "true");
    asking.setAttribute("aria-activedescendant", items[next].id);
  } else if (event.key === "Enter" || event.key === "Tab") {
    takeName(items[now]);
  } else if (event.key === "Escape") {
    hideNames();
  } else {
    return false;
  }
  event.preventDefault();
  event.stopPropagation();
  return true;
}

// --- Listening -------------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-add-step]")) openPicker(at("[data-add-step]"));
  else if (at("[data-pick]")) addStep(at("[data-pick]").dataset.pick);
  else if (at("[data-copy-step]")) copyStep(at("[data-copy-step]"));
  else if (at("[data-remove-step]")) removeStep(at(STEP));
  else if (at("[data-move-step]")) moveStep(at(STEP), Number(at("[data-move-step]").dataset.moveStep), at("[data-move-step]"));
  else if (at("[data-go-step]")) {
    event.preventDefault();
    goToStep(at("[data-go-step]").dataset.goStep);
  }
  if (!at(".completions")) hideNames();
});
list.addEventListener("mousedown", (event) => {
  event.preventDefault();
  if (event.target.matches("li")) takeName(event.target);
});
document.addEventListener("toggle", (event) => event.target.matches?.(".step-fold") && fillFold(event.target), { capture: true });
document.addEventListener("keydown", (event) => {
  if (onCompletionKey(event)) return;
  const summary = event.target.closest?.(".step-row");
  if (!summary || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  moveStep(summary.closest(STEP), event.key === "ArrowUp" ? -1 : 1, summary);
});
form.addEventListener("input", (event) => {
  form.dataset.dirty = "yes";
  if (event.target.matches("[data-template]")) showNames(event.target);
});
form.addEventListener("submit", () => delete form.dataset.dirty);
picker.addEventListener("input", (event) => event.target.matches("[data-picker-search]") && filterPicker(event.target.value));
picker.addEventListener("keydown", onPickerKey);
document.addEventListener("dragstart", onDragStart);
document.addEventListener("dragover", onDragOver);
document.addEventListener("drop", (event) => dragged && event.preventDefault());
document.addEventListener("dragend", onDragEnd);
addEventListener("beforeunload", (event) => form.dataset.dirty && event.preventDefault());
wake(form);
for (const fold of form.querySelectorAll(".step-fold[open]")) fillFold(fold);
