// Forms: nothing typed is lost, nothing is sent twice, filters apply themselves, rows are chosen together.
const storage = {
  get: (key) => {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set: (key, value) => {
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, value);
    } catch {
      // Storage is refused or full: the draft lives as long as the page.
    }
  },
};
const draftKey = (field) => `draft:${field.dataset.draft}`;
const sentKey = (field) => `sent:${field.dataset.draft}`;

function wasSent(field) {
  const arrival = performance.getEntriesByType("navigation")[0]?.type;
  return storage.get(sentKey(field)) !== null && arrival === "navigate";
}

function restoreDrafts(scope) {
  for (const field of scope.querySelectorAll("[data-draft]")) {
    if (wasSent(field)) storage.set(draftKey(field), null);
    storage.set(sentKey(field), null);
    const draft = storage.get(draftKey(field));
    if (draft !== null && field.value === "") field.value = draft;
  }
}

/** Empties a form of one line for the next one; letting go of it for a moment shows what waited for that. */
function clear(form) {
  const focused = form.contains(document.activeElement) ? document.activeElement.id : "";
  form.reset();
  if (!focused) return;
  document.activeElement.blur();
  setTimeout(() => document.getElementById(focused)?.focus());
}

const inFlight = new WeakMap();

/** Remembers what a request takes along: whoever types fast has written more by the time its answer is here. */
function keepSent(form) {
  inFlight.set(form, new Map([...form.elements].map((field) => [field, field.value])));
}

/** Forgets the drafts that were sent, and empties their fields for the next; what was typed since stays. */
function forgetSent(form) {
  const sent = inFlight.get(form);
  for (const field of form.querySelectorAll("[data-draft]")) {
    if (field.value !== sent?.get(field)) continue;
    storage.set(draftKey(field), null);
    if (form.hasAttribute("data-reset")) field.value = field.defaultValue;
  }
}

function showSelection(table) {
  const boxes = [...table.querySelectorAll("tbody [data-row-select]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const all = table.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  const bar = document.querySelector("[data-bulk-bar]");
  if (!bar) return;
  bar.hidden = chosen === 0;
  const count = bar.querySelector("[data-bulk-count]");
  if (count) count.textContent = String(chosen);
}

function onInput(event) {
  const field = event.target;
  if (field.dataset?.draft) storage.set(draftKey(field), field.value || null);
}

let autosubmitTimer;

function onChange(event) {
  const field = event.target;
  if (field.matches("[data-select-all]")) {
    for (const box of field.closest("table").querySelectorAll("tbody [data-row-select]")) box.checked = field.checked;
  }
  const table = field.closest("table");
  if (table && field.matches("[data-row-select], [data-select-all]")) showSelection(table);
  const form = field.form;
  if (form?.hasAttribute("data-autosubmit")) {
    clearTimeout(autosubmitTimer);
    autosubmitTimer = setTimeout(() => form.requestSubmit(), field.type === "checkbox" ? 350 : 0);
  }
}

function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.method === "get") {
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
    return;
  }
  for (const field of form.querySelectorAll("[data-draft]")) storage.set(sentKey(field), "yes");
  // The browser reads the pressed button's value after this event, so it is marked and not disabled.
  const sendsItself = ["hx-post", "hx-put", "hx-patch", "hx-delete"].some((name) => form.hasAttribute(name));
  if (form.method !== "dialog" && !sendsItself) event.submitter?.classList.add("is-busy");
}

function onKeydown(event) {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement) || event.key !== "Enter" || event.isComposing) return;
  const sends = event.metaKey || event.ctrlKey || (field.hasAttribute("data-enter-sends") && !event.shiftKey);
  if (!sends || !field.form) return;
  event.preventDefault();
  field.form.requestSubmit();
}

/** Puts ready words, such as an update's template, into a field, where they can be changed. */
function onInsert(event) {
  const source = event.target.closest("[data-insert]");
  const field = source && document.getElementById(source.dataset.insertInto);
  if (!field) return;
  field.value = source.dataset.insert;
  field.focus();
  onInput({ target: field });
}

export function startForms() {
  restoreDrafts(document);
  document.addEventListener("click", onInsert);
  document.addEventListener("input", onInput);
  document.addEventListener("change", onChange);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("keydown", onKeydown);
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll(".is-busy")) button.classList.remove("is-busy");
    for (const field of document.querySelectorAll("form[method='get'] :disabled")) field.disabled = false;
  });
  document.body.addEventListener("htmx:load", (event) => restoreDrafts(event.detail.elt));
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt instanceof HTMLFormElement) keepSent(event.detail.elt);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt instanceof HTMLFormElement && event.detail.successful) forgetSent(event.detail.elt);
    if (event.detail.elt.matches("form[data-clears]") && event.detail.successful) clear(event.detail.elt);
  });
}
