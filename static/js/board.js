// Incidents on a board: a card is dragged to another column, or moved there with Alt and an arrow key. What is seen at once
// is sent at once; a move that is refused comes back with its reason.
import { toast } from "./toasts.js";
import { announce, word } from "./words.js";

const BOARD = "[data-board][data-moves]";
let dragged = null;

const boardOf = (element) => element.closest(BOARD);
const cardsOf = (column) => column.querySelector("[data-cards]");

async function send(card, value, was) {
  const field = boardOf(card).dataset.board;
  const headers = { Accept: "application/json", ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") };
  const body = new URLSearchParams({ field, value, was });
  try {
    const response = await fetch(card.dataset.url, { method: "POST", body, headers, signal: AbortSignal.timeout(20000) });
    const isJson = response.headers.get("Content-Type")?.includes("json");
    const answer = isJson ? await response.json() : { error: { message: word("failed") } };
    return response.ok ? { shown: answer.shown } : { error: answer.error };
  } catch {
    return { error: { message: word("offline") } };
  }
}

function count(column, by) {
  const shown = column.querySelector(".section-count");
  shown.textContent = String(Number(shown.textContent) + by);
}

function put(card, column) {
  count(card.closest("[data-column]"), -1);
  cardsOf(column).prepend(card);
  count(column, 1);
}

async function move(card, column, canUndo = true) {
  const from = card.closest("[data-column]");
  if (!column || column === from) return;
  const board = boardOf(card);
  const [value, was] = [column.dataset.column, card.dataset.value];
  const hadFocus = card.contains(document.activeElement);
  put(card, column);
  card.classList.add("is-saving");
  if (hadFocus) card.querySelector("a").focus();
  const answer = await send(card, value, was);
  card.classList.remove("is-saving");
  const home = board.isConnected ? from : document.querySelector(`${BOARD} [data-column="${CSS.escape(was)}"]`);
  if (answer.error) {
    if (card.isConnected && home) put(card, home);
    toast([answer.error.message, answer.error.remedy].filter(Boolean).join(" "), "error");
    return;
  }
  card.dataset.value = value;
  const reference = card.querySelector(".reference").textContent;
  announce(`${reference}: ${answer.shown}`);
  const back = () => {
    const now = document.getElementById(card.id);
    const old = document.querySelector(`${BOARD} [data-column="${CSS.escape(was)}"]`);
    if (now && old) move(now, old, false);
  };
  toast(word("nowIs", { label: reference, value: answer.shown }), "success", canUndo ? { label: word("undo"), run: back } : null);
}

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.("[data-card]");
  if (!card || !boardOf(card)) return;
  dragged = card;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.querySelector("a").href);
  card.classList.add("is-dragged");
});

document.addEventListener("dragover", (event) => {
  const column = dragged && event.target.closest?.("[data-column]");
  for (const each of document.querySelectorAll("[data-column].is-over")) if (each !== column) each.classList.remove("is-over");
  if (!column) return;
  event.preventDefault();
  column.classList.add("is-over");
});

document.addEventListener("drop", (event) => {
  const column = dragged && event.target.closest?.("[data-column]");
  if (!column) return;
  event.preventDefault();
  move(dragged, column);
});

document.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  for (const each of document.querySelectorAll("[data-column].is-over")) each.classList.remove("is-over");
  dragged = null;
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const card = event.target.closest?.("[data-card]");
  if (!card || !boardOf(card)) return;
  event.preventDefault();
  const column = card.closest("[data-column]");
  move(card, event.key === "ArrowLeft" ? column.previousElementSibling : column.nextElementSibling);
});
