// Dialogs on <dialog>: `data-opens="id"`, `data-closes`, and `data-confirm` before anything that can not be undone.
import { whenThere } from "./later.js";
import { word } from "./words.js";

/** Asks before an act; `source` may carry data-confirm (the question), -text, -verb and -tone. Resolves to a boolean. */
export function ask(source) {
  const dialog = document.getElementById("confirm");
  if (!dialog) return Promise.resolve(window.confirm(source.dataset.confirm));
  const button = dialog.querySelector("[data-confirm-yes]");
  const text = dialog.querySelector("[data-confirm-text]");
  dialog.querySelector("[data-confirm-title]").textContent = source.dataset.confirm;
  text.textContent = source.dataset.confirmText ?? "";
  text.hidden = !source.dataset.confirmText;
  button.textContent = source.dataset.confirmVerb || source.textContent.trim() || word("confirm");
  button.className = `btn ${source.dataset.confirmTone === "danger" ? "btn-danger" : "btn-primary"}`;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

const sends = (element) => ["hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"].some((name) => element.hasAttribute(name));

async function confirmClick(event) {
  const source = event.target.closest("[data-confirm]");
  if (!source || source instanceof HTMLFormElement || sends(source) || source.dataset.confirmed) return;
  event.preventDefault();
  event.stopPropagation();
  if (!(await ask(source))) return;
  if (source instanceof HTMLAnchorElement) {
    location.assign(source.href);
  } else if (source.form) {
    source.form.requestSubmit(source);
  }
}

async function confirmSubmit(event) {
  const form = event.target;
  if (!form.dataset.confirm || sends(form) || form.dataset.confirmed) return;
  event.preventDefault();
  event.stopPropagation();
  const submitter = event.submitter;
  if (!(await ask(form))) return;
  form.dataset.confirmed = "yes";
  form.requestSubmit(submitter);
  delete form.dataset.confirmed;
}

function openDialog(opener) {
  whenThere(opener.dataset.opens, (dialog) => {
    if (dialog.open) return;
    dialog.showModal();
    focusFirst(dialog);
  });
}

function focusFirst(dialog) {
  const skipped = "[type='hidden'], [type='checkbox'], [type='radio']:not(:checked)";
  dialog.querySelector(`[autofocus], .dialog-body :is(textarea, select, input:not(${skipped}))`)?.focus();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}

export function startDialogs() {
  document.addEventListener("click", confirmClick, true);
  document.addEventListener("submit", confirmSubmit, true);
  document.body.addEventListener("htmx:confirm", (event) => {
    const source = event.detail.elt;
    if (!source.dataset.confirm) return;
    event.preventDefault();
    ask(source).then((yes) => yes && event.detail.issueRequest(true));
  });
  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest(".menu-item") ? null : event.target.closest("details.menu"));
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      event.preventDefault();
      closeMenus(null);
      openDialog(opener);
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement && event.target.hasAttribute("data-light-dismiss")) event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    closeMenus(null);
    menu?.querySelector("summary")?.focus();
  });
  // What a dialog asks the server for comes after it was opened.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const dialog = event.target.closest("dialog[open]");
    if (dialog && document.activeElement?.matches("[data-closes], dialog, body")) focusFirst(dialog);
  });
  // A dialog whose form was answered without errors closes itself: `HX-Trigger: closeDialog`.
  document.body.addEventListener("closeDialog", (event) => event.target.closest("dialog")?.close());
  for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();
}
