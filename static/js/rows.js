// Rows that a form can have more of, or in another order: menus of one name, and the rows of a formset. Without it the
// spare ones are enough, and positions are numbers.
function addSelect(button) {
  const menus = [...button.closest("[data-selects]").querySelectorAll("select")];
  const added = menus.at(-1).cloneNode(true);
  for (const option of added.options) option.defaultSelected = false;
  added.value = "";
  added.setAttribute("aria-label", added.getAttribute("aria-label").replace(/\d+/, String(menus.length + 1)));
  menus.at(-1).after(added);
  added.focus();
}

function addRow(button) {
  const formset = button.closest("[data-formset]");
  const total = formset.querySelector(`[name="${formset.dataset.formset}-TOTAL_FORMS"]`);
  const template = formset.querySelector("template");
  const holder = document.createElement("div");
  holder.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
  const row = holder.firstElementChild;
  formset.querySelector("[data-rows-here]").append(row);
  total.value = String(Number(total.value) + 1);
  showButtons(row);
  number(row.parentElement);
  row.querySelector("input:not([type='hidden']), select")?.focus();
}

/** Moves a row before the one above it, or behind the one below. */
function moveRow(button) {
  const row = button.closest("[data-rows-here] > *");
  const isEarlier = Number(button.dataset.moveRow) < 0;
  const other = isEarlier ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (isEarlier) other.before(row);
  else other.after(row);
  number(row.parentElement);
  button.focus();
  // Whoever previews the form sees that it has changed.
  row.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Positions follow the order on the page. */
function number(rows) {
  for (const [index, order] of [...rows.querySelectorAll("[name$='-ORDER']")].entries()) order.value = index + 1;
}

const BUTTONS = "[data-add-select], [data-add-row], [data-move-row]";

/** Shows what works only with a script, and hides what it makes needless. */
function showButtons(scope) {
  for (const button of scope.querySelectorAll(BUTTONS)) button.hidden = false;
  for (const position of scope.querySelectorAll("[data-position]")) position.hidden = true;
}

// A script adds rows when they are asked for: the spare ones would only be in the way.
for (const row of document.querySelectorAll("[data-formset] [data-spare]")) {
  const total = row.closest("[data-formset]").querySelector("[name$='-TOTAL_FORMS']");
  total.value = String(Number(total.value) - 1);
  row.remove();
}
document.addEventListener("click", (event) => {
  const button = event.target.closest(BUTTONS);
  if (!button) return;
  if (button.hasAttribute("data-add-row")) addRow(button);
  else if (button.hasAttribute("data-move-row")) moveRow(button);
  else addSelect(button);
});
showButtons(document);
