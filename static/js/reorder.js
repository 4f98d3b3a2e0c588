// Rows that are put into another order: dragged by their handles, moved by Alt and an arrow key, or by their buttons.
// What is seen at once is sent at once; if that is refused the rows are as they were. Without it the buttons are enough.
import { toast } from "./toasts.js";
import { announce, word } from "./words.js";

const LIST = "[data-reorder]";
const ROW = "[data-row]";

const rowsOf = (list) => [...list.querySelectorAll(`:scope > ${ROW}`)];
const token = () => document.querySelector("[name='csrfmiddlewaretoken']").value;

/** Numbers the rows as they stand; the first can't go up, nor the last down. */
function number(list) {
  const rows = rowsOf(list);
  for (const [index, row] of rows.entries()) {
    row.querySelector(".rung-mark").textContent = String(index + 1);
    row.querySelector("[value='up']").disabled = index === 0;
    row.querySelector("[value='down']").disabled = index === rows.length - 1;
  }
}

function put(list, order) {
  for (const row of order) list.append(row);
  number(list);
}

/** Sends the order as a form would: the page that answers asks for a reason. */
function askForReason(list, order) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = list.dataset.reorder;
  form.hidden = true;
  for (const [name, value] of [["csrfmiddlewaretoken", token()], ...order.map((row) => ["routes", row.dataset.row])]) {
    const field = document.createElement("input");
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

async function send(list, order) {
  const body = new FormData();
  for (const row of order) body.append("routes", row.dataset.row);
  const headers = { "X-CSRFToken": token(), "X-Requested-With": "fetch" };
  try {
    const response = await fetch(list.dataset.reorder, { method: "POST", body, headers });
    if (response.status === 409) askForReason(list, order);
    else if (!response.ok) toast(word(response.status === 403 ? "forbidden" : "failed"), "error");
    return response.ok;
  } catch {
    toast(word("offline"), "error");
    return false;
  }
}

// The order that the server has, and the request that is under way, by list: one follows the other.
const stored = new WeakMap();
const underWay = new WeakMap();

function save(list, moved) {
  const order = rowsOf(list);
  number(list);
  if (order.every((row, index) => row === stored.get(list)[index]) && !underWay.has(list)) return;
  const place = order.indexOf(moved) + 1;
  announce(
    list.dataset.moved
      .replace("{name}", moved.dataset.name)
      .replace("{number}", String(place))
      .replace("{count}", String(order.length)),
  );
  const before = underWay.get(list) ?? Promise.resolve();
  const sent = before.then(async () => {
    if (await send(list, order)) stored.set(list, order);
    else put(list, stored.get(list));
  });
  underWay.set(list, sent);
}

/** Moves a row before the one above it, or behind the one below; the focus goes along. */
function move(row, isUp, focused) {
  const other = isUp ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (isUp) other.before(row);
  else other.after(row);
  save(row.parentElement, row);
  if (focused.disabled) row.focus();
  else focused.focus();
}

let dragged = null;

function onDragStart(event) {
  const handle = event.target.closest?.("[data-drag-handle]");
  if (!handle) return;
  dragged = handle.closest(ROW);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.name);
  event.dataTransfer.setDragImage(dragged, 20, 20);
  dragged.classList.add("is-dragged");
}

function onDragOver(event) {
  if (!dragged) return;
  const row = event.target.closest?.(ROW);
  if (row?.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  if (row === dragged) return;
  const box = row.getBoundingClientRect();
  if (event.clientY < box.top + box.height / 2) row.before(dragged);
  else row.after(dragged);
}

/** A drag that ends elsewhere, or by Escape, leaves all as it was. */
function onDragEnd(event) {
  if (!dragged) return;
  const [row, list] = [dragged, dragged.parentElement];
  dragged = null;
  row.classList.remove("is-dragged");
  if (event.dataTransfer.dropEffect === "none") put(list, stored.get(list));
  else save(list, row);
}

function onKeydown(event) {
  const row = event.target.closest?.(`${LIST} > ${ROW}`);
  if (!row || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  move(row, event.key === "ArrowUp", event.target);
}

function onSubmit(event) {
  const form = event.target;
  if (!form.matches("[data-move]")) return;
  event.preventDefault();
  event.stopPropagation();
  move(form.closest(ROW), event.submitter.value === "up", event.submitter);
}

for (const list of document.querySelectorAll(LIST)) {
  stored.set(list, rowsOf(list));
  for (const row of rowsOf(list)) {
    row.tabIndex = 0;
    row.setAttribute("aria-describedby", "reorder-help");
    const handle = row.querySelector("[data-drag-handle]");
    handle.hidden = false;
    handle.draggable = true;
  }
}
for (const help of document.querySelectorAll("#reorder-help")) help.hidden = false;
document.addEventListener("dragstart", onDragStart);
document.addEventListener("dragover", onDragOver);
document.addEventListener("drop", (event) => dragged && event.preventDefault());
document.addEventListener("dragend", onDragEnd);
document.addEventListener("keydown", onKeydown);
document.addEventListener("submit", onSubmit, { capture: true });
