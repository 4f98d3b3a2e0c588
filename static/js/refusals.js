// A form that the server refused without showing it again tells why where the eyes are: at the field that is wrong, else at
// the foot of its dialog, for a toast stands behind a dialog. `HX-Trigger: {"refused": {"field", "message", …}, "toast": …}`.
import { iconElement } from "./words.js";

function forget(form) {
  for (const reason of form.querySelectorAll("[data-refusal]")) {
    const field = form.querySelector(`[aria-describedby~="${reason.id}"]`);
    if (field) {
      field.removeAttribute("aria-invalid");
      const rest = field.getAttribute("aria-describedby").split(" ").filter((id) => id !== reason.id);
      if (rest.length) field.setAttribute("aria-describedby", rest.join(" "));
      else field.removeAttribute("aria-describedby");
    }
    reason.remove();
  }
}

function reasonIn(form, message) {
  const reason = document.createElement("p");
  reason.className = "field-error";
  reason.dataset.refusal = "";
  reason.id = `refusal-${form.id || form.closest("dialog")?.id || form.getAttribute("action")?.replace(/\W+/g, "-")}`;
  reason.setAttribute("role", "alert");
  reason.append(iconElement("alert-circle"), message);
  return reason;
}

function show(form, refused) {
  const named = refused.field ? form.elements.namedItem(refused.field) : null;
  const field = named instanceof Element && named.offsetParent ? named : null;
  const place = field ? (field.closest(".field") ?? field.parentElement) : form.querySelector(".dialog-body");
  if (!place) return;
  const reason = reasonIn(form, refused.message);
  place.append(reason);
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), reason.id].filter(Boolean).join(" "));
    field.focus();
  }
  reason.scrollIntoView({ block: "nearest" });
}

export function startRefusals() {
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target instanceof HTMLFormElement) forget(event.target);
  });
  // Before the toast of the same answer is heard: one that has its place needs none.
  document.body.addEventListener("refused", (event) => {
    const form = event.target.closest("form");
    if (form && !form.hasAttribute("data-composer")) show(form, event.detail);
  });
  document.addEventListener(
    "toast",
    (event) => {
      const form = event.target.closest?.("form");
      if (event.detail.level === "error" && form?.querySelector("[data-refusal]")) event.stopPropagation();
    },
    true,
  );
}
