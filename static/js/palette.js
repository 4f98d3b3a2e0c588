// The command palette (mod+k): what this page and its frame can do, and what the search finds.
import { iconElement, word } from "./words.js";

const KIND_ICONS = {
  incident: "flame", alert: "bell", service: "stack-2", postmortem: "notebook", user: "user", person: "user",
  team: "users", schedule: "calendar", policy: "stairs", status_page: "broadcast",
};
const WAIT_MILLISECONDS = 140;
const MOST_COMMANDS = 8;

let dialog, input, list;
let found = [];
let shown = [];
let current = 0;
let timer;
let running;

function commands() {
  const seen = new Set();
  const all = [];
  for (const element of document.querySelectorAll("[data-command]")) {
    const title = element.dataset.command || element.textContent.trim();
    if (seen.has(title) || element.closest("[hidden]")) continue;
    seen.add(title);
    const icon = element.querySelector("use")?.getAttribute("href")?.split("#")[1] ?? "arrow-right";
    all.push({ title, icon, keys: element.dataset.shortcut, run: () => (element.matches("textarea, input") ? element.focus() : element.click()) });
  }
  return all;
}

/** Says how well a title fits what was typed: the lower the better, null when it does not. */
function fit(title, typed) {
  const [text, query] = [title.toLowerCase(), typed.toLowerCase()];
  const at = text.indexOf(query);
  if (at === 0) return 0;
  if (at > 0) return text[at - 1] === " " ? 1 : 2;
  let place = -1;
  for (const letter of query) {
    place = text.indexOf(letter, place + 1);
    if (place < 0) return null;
  }
  return 3;
}

function optionFor(item, index) {
  const option = document.createElement("li");
  option.className = "palette-option";
  option.id = `palette-option-${index}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", String(index === current));
  const words = document.createElement("span");
  words.className = "palette-option-words";
  words.textContent = item.title;
  if (item.subtitle) {
    const sub = document.createElement("span");
    sub.className = "palette-option-sub";
    sub.textContent = item.subtitle;
    words.append(sub);
  }
  option.append(iconElement(item.icon), words);
  for (const key of item.keys?.split(" ") ?? []) {
    const cap = document.createElement("kbd");
    cap.textContent = key.toUpperCase();
    option.append(cap);
  }
  option.addEventListener("pointermove", () => select(index));
  option.addEventListener("click", () => run(item));
  return option;
}

function heading(text) {
  const item = document.createElement("li");
  item.className = "palette-group";
  item.setAttribute("role", "presentation");
  item.textContent = text;
  return item;
}

function render() {
  const typed = input.value.trim();
  const fitting = commands()
    .map((command) => ({ command, rank: typed ? fit(command.title, typed) : 0 }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, typed ? MOST_COMMANDS : undefined)
    .map(({ command }) => command);
  shown = [...found, ...fitting];
  current = Math.min(current, Math.max(0, shown.length - 1));
  list.replaceChildren();
  if (found.length) list.append(heading(word("results")));
  found.forEach((item, index) => list.append(optionFor(item, index)));
  if (fitting.length) list.append(heading(word("commands")));
  fitting.forEach((item, index) => list.append(optionFor(item, index + found.length)));
  dialog.querySelector("[data-palette-empty]").hidden = shown.length > 0;
  point();
}

function point() {
  const option = list.querySelector(`#palette-option-${current}`);
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

function select(index) {
  if (!shown.length) return;
  current = (index + shown.length) % shown.length;
  for (const option of list.querySelectorAll("[role=option]")) {
    const chosen = option.id === `palette-option-${current}`;
    option.setAttribute("aria-selected", String(chosen));
    if (chosen) option.scrollIntoView({ block: "nearest" });
  }
  point();
}

function run(item) {
  if (item.fill) {
    input.value = item.fill;
    current = 0;
    search();
    return;
  }
  dialog.close();
  if (item.url) location.assign(item.url);
  else item.run();
}

/** What is typed after a slash is a command to the room of the incident that the page shows: what can come next. */
async function completions(room, typed) {
  const url = new URL(room.dataset.completionsUrl, location.href);
  url.searchParams.set("text", typed);
  const response = await fetch(url, { signal: running.signal, headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  const { start, usage, suggestions } = await response.json();
  const send = () => {
    const box = room.querySelector("textarea");
    box.value = typed;
    room.requestSubmit();
  };
  return [
    ...suggestions.map((each) => ({
      title: each.title, subtitle: each.about, icon: "arrow-right", fill: `${typed.slice(0, start)}${each.insert}`,
    })),
    ...(typed.length > 1 ? [{ title: word("send", { text: typed }), subtitle: usage, icon: "corner-down-left", run: send }] : []),
  ];
}

async function search() {
  const typed = input.value.trimStart();
  running?.abort();
  const room = document.querySelector("[data-composer]");
  if (room && typed.startsWith("/")) {
    running = new AbortController();
    try {
      found = await completions(room, typed);
      render();
    } catch (error) {
      if (error.name !== "AbortError") found = [];
    }
    return;
  }
  if (typed.length < 2) {
    found = [];
    render();
    return;
  }
  running = new AbortController();
  try {
    const url = `${dialog.dataset.searchUrl}?q=${encodeURIComponent(typed)}`;
    const response = await fetch(url, { signal: running.signal, headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    const { results } = await response.json();
    found = results.map((result) => ({ ...result, icon: KIND_ICONS[result.kind] ?? "arrow-right" }));
    render();
  } catch (error) {
    if (error.name === "AbortError") return;
    found = [];
    render();
  }
}

/** Opens the palette, empty. */
export function openPalette() {
  if (!dialog || dialog.open) return;
  input.value = "";
  found = [];
  current = 0;
  dialog.showModal();
  render();
  input.focus();
}

function onKeydown(event) {
  if (event.key === "ArrowDown" || (event.ctrlKey && event.key === "n")) select(current + 1);
  else if (event.key === "ArrowUp" || (event.ctrlKey && event.key === "p")) select(current - 1);
  else if (event.key === "Enter" && !event.isComposing && shown[current]) run(shown[current]);
  else return;
  event.preventDefault();
}

export function startPalette() {
  dialog = document.getElementById("palette");
  if (!dialog) return;
  input = dialog.querySelector("input");
  list = dialog.querySelector("[role=listbox]");
  input.addEventListener("keydown", onKeydown);
  input.addEventListener("input", () => {
    current = 0;
    render();
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MILLISECONDS);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-palette]")) openPalette();
  });
}
