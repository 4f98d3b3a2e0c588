// The schedule editor: more handovers a week, and only the fields that a choice asks for.
function addHandover(button) {
  const holder = button.closest("[data-handovers]");
  const rows = [...holder.querySelectorAll(".handover")];
  const added = rows.at(-1).cloneNode(true);
  added.removeAttribute("data-handover-spare");
  added.querySelector("input").value = "";
  for (const field of added.querySelectorAll("[aria-label]")) {
    field.setAttribute("aria-label", field.getAttribute("aria-label").replace(/\d+/, String(rows.length + 1)));
  }
  rows.at(-1).after(added);
  added.querySelector("select").focus();
}

/** Offers what a row's period knows: weekdays and several handovers are for weeks. */
function fitPeriod(row) {
  const period = row.querySelector("[name$='-period']")?.value ?? "weeks";
  for (const place of row.querySelectorAll("[data-handovers]")) {
    const isWeekly = period === "weeks";
    for (const [number, handover] of [...place.querySelectorAll(".handover")].entries()) {
      handover.hidden = !isWeekly && number > 0;
      handover.querySelector("select").hidden = !isWeekly;
    }
    place.querySelector("[data-weekly-only]").hidden = !isWeekly;
  }
}

function fitChange() {
  const dates = document.querySelector("[data-change-date]");
  if (dates) dates.hidden = document.querySelector("[name='starts']:checked")?.value !== "date";
}

function prepare(scope) {
  for (const spare of scope.querySelectorAll("[data-handover-spare]")) spare.remove();
  for (const button of scope.querySelectorAll("[data-add-handover]")) button.hidden = false;
  for (const row of scope.querySelectorAll(".rotation-row")) fitPeriod(row);
}

// Rows that are added come from the template: theirs has no spare handover either.
for (const template of document.querySelectorAll("[data-formset] template")) prepare(template.content);
prepare(document);
fitChange();
document.addEventListener("change", (event) => {
  const row = event.target.closest(".rotation-row");
  if (row) fitPeriod(row);
  fitChange();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-handover]");
  if (button) addHandover(button);
});
