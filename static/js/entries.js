// What people do with an entry of a timeline: react, reply, pin, mark, edit, remove, restore.
//   <ol id="timeline" data-entries-url="/…/entries/" data-viewer="7" data-rewrites-all>
// Entries are the same for every viewer: what is one's own is marked here, from `data-by` and `data-author`.
import { ask } from "./dialogs.js";
import { toast } from "./toasts.js";
import { word } from "./words.js";

class Entries {
  constructor(list) {
    this.list = list;
    this.menu = document.getElementById("entry-menu");
    this.emoji = document.getElementById("entry-emoji");
    this.dialog = document.getElementById("entry-dialog");
  }

  start() {
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("sitrep:entry-shown", (event) => this.markOwn(event.target));
    for (const entry of this.list.querySelectorAll(":scope > [data-sequence]")) this.markOwn(entry);
    for (const popover of [this.menu, this.emoji]) {
      popover?.addEventListener("keydown", (event) => this.moved(event, popover));
      popover?.addEventListener("toggle", (event) => event.newState === "closed" && this.opener?.focus({ preventScroll: true }));
    }
    document.getElementById("entry-emoji-other")?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.value.trim()) return;
      event.preventDefault();
      this.react(event.target.value.trim());
      event.target.value = "";
    });
  }

  markOwn(entry) {
    const viewer = this.list.dataset.viewer;
    for (const reaction of entry.querySelectorAll(".reaction")) {
      reaction.setAttribute("aria-pressed", String(reaction.dataset.by.split(" ").includes(viewer)));
    }
    const rewritesAll = "rewritesAll" in this.list.dataset;
    entry.classList.toggle("is-own", entry.dataset.author === viewer || rewritesAll);
    const tookItAway = entry.dataset.author === viewer && entry.dataset.removedBy === viewer;
    entry.classList.toggle("may-return", tookItAway || rewritesAll);
  }

  clicked(event) {
    const button = event.target.closest("[data-entry-verb], [data-entry-mark], [data-react]");
    if (!button) return;
    const entry = button.closest("[data-sequence]");
    if (entry) this.entry = entry;
    if (!this.entry) return;
    if (button.dataset.react) this.react(button.dataset.react);
    else if (button.dataset.entryMark) this.mark(button.dataset.entryMark);
    else this.verb(button.dataset.entryVerb, button);
  }

  verb(verb, button) {
    // (out of the menu it opens where the menu did)
    if (verb === "react") this.open(this.emoji, button.closest("[data-sequence]") ? button : this.opener);
    else if (verb === "more") this.openMenu(button);
    else if (verb === "reply") this.reply();
    else if (verb === "edit") this.edit();
    else if (verb === "copy") this.copy();
    else if (verb === "remove") this.remove(button);
    else if (verb === "restore") this.post("restore/", {});
  }

  open(popover, button) {
    if (!popover) return;
    this.opener = button;
    const at = button.getBoundingClientRect();
    popover.showPopover();
    const size = popover.getBoundingClientRect();
    const below = at.bottom + 4 + size.height <= innerHeight;
    popover.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
    popover.style.left = `${Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8))}px`;
    popover.querySelector("button:not([hidden])")?.focus();
  }

  openMenu(button) {
    const data = this.entry.dataset;
    const kinds = (data.kind ?? "").split(" ");
    const stands = { is_pinned: kinds.includes("pinned"), is_key: kinds.includes("key"), in_postmortem: !("keptOut" in data) };
    for (const item of this.menu.querySelectorAll("[data-entry-mark]")) {
      const [name, value] = item.dataset.entryMark.split(":");
      item.hidden = String(stands[name]) === value;
    }
    this.menu.querySelector("[data-entry-verb='remove']").hidden = !("written" in data) || !this.entry.classList.contains("is-own");
    this.open(this.menu, button);
  }

  moved(event, popover) {
    const items = [...popover.querySelectorAll("button:not([hidden]), input")];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step || event.target.matches("input")) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
  }

  close() {
    for (const popover of [this.menu, this.emoji]) if (popover?.matches(":popover-open")) popover.hidePopover();
  }

  url(what = "") {
    return `${this.list.dataset.entriesUrl}${this.entry.dataset.sequence}/${what}`;
  }

  async post(what, values) {
    this.close();
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    body.append("csrfmiddlewaretoken", document.querySelector("[name='csrfmiddlewaretoken']").value);
    try {
      const response = await fetch(this.url(what), { method: "POST", body, headers: { "HX-Request": "true" } });
      if (!response.ok) toast(JSON.parse(response.headers.get("HX-Trigger") ?? "{}").toast?.message ?? word("failed"), "error");
    } catch {
      toast(word("offline"), "error");
    }
  }

  react(emoji) {
    return this.post("react/", { emoji });
  }

  mark(change) {
    const [name, value] = change.split(":");
    return this.post("mark/", { [name]: value });
  }

  reply() {
    const detail = { sequence: this.entry.dataset.sequence, name: this.entry.querySelector(".entry-actor").textContent };
    document.dispatchEvent(new CustomEvent("sitrep:reply", { detail }));
  }

  async edit() {
    this.close();
    const form = this.dialog.querySelector("form");
    form.action = this.url();
    form.setAttribute("hx-post", this.url());
    window.htmx.process(form);
    await window.htmx.ajax("GET", this.url(), { target: "#entry-fields", swap: "innerHTML" });
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.querySelector("textarea, input:not([type='hidden'])")?.focus();
  }

  async copy() {
    this.close();
    const sequence = this.entry.dataset.sequence;
    const url = new URL(`?around=${sequence}#entry-${sequence}`, location.href);
    try {
      await navigator.clipboard.writeText(url.href);
      toast(word("copied"), "success");
    } catch {
      location.hash = `entry-${sequence}`;
    }
  }

  async remove(button) {
    this.close();
    const entry = this.entry;
    const { question, questionText, questionVerb } = button.dataset;
    const asked = document.createElement("span");
    Object.assign(asked.dataset, { confirm: question, confirmText: questionText, confirmVerb: questionVerb, confirmTone: "danger" });
    if (!(await ask(asked))) return;
    this.entry = entry;
    await this.post("remove/", {});
  }
}

export function startEntries() {
  const list = document.querySelector("#timeline[data-entries-url]");
  if (list) new Entries(list).start();
}
