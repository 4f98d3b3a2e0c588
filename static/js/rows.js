// Rows that a form can have more of: menus of one name, and the rows of a formset. Without it the spare ones are enough.
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
  const order = row.querySelector("[name$='-ORDER']");
  if (order) order.value = total.value;
  showAdders(row);
  row.querySelector("input:not([type='hidden']), select")?.focus();
}

function showAdders(scope) {
  for (const button of scope.querySelectorAll("[data-add-select], [data-add-row]")) button.hidden = false;
}

// A script adds rows when they are asked for: the spare ones would only be in the way.
for (const row of document.querySelectorAll("[data-formset] [data-spare]")) {
  const total = row.closest("[data-formset]").querySelector("[name$='-TOTAL_FORMS']");
  total.value = String(Number(total.value) - 1);
  row.remove();
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-select], [data-add-row]");
  if (!button) return;
  if (button.hasAttribute("data-add-row")) addRow(button);
  else addSelect(button);
});
showAdders(document);
