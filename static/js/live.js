// The live timeline of an incident:
//   <ol id="timeline" data-live-url="/ws/…/" data-poll-url="/…/timeline/" data-last-sequence="57">, newest entry first.
// Entries have a sequence without holes: one that arrives out of turn makes the client ask for what it missed, one that
// it has already replaces itself. Changes of entries are counted in the same way (data-last-change). Entries stand by when
// they happened (data-at), those of one instant by their sequence. Without a websocket the same fragments are polled.
import { isInUse, parse } from "./fragments.js";
import { LiveConnection } from "./live-connection.js";
import { Presence } from "./presence.js";
import { announce, iconElement, word } from "./words.js";
import { localDay } from "./time.js";

const NEW_MILLISECONDS = 2500;

class LiveTimeline {
  constructor(list) {
    this.list = list;
    this.stateElement = document.getElementById("live-state");
    this.newEntriesButton = document.querySelector("[data-new-entries]");
    // On a laptop the timeline scrolls within its column, on a phone with the page.
    this.scroller = list.closest("[data-timeline-scroll]");
    this.unread = 0;
    this.waiting = new Map();
    this.said = new Map();
    this.seen = new Set(this.entries().map((entry) => Number(entry.dataset.sequence)));
    this.last = Math.max(Number(list.dataset.lastSequence ?? 0), 0, ...this.seen);
    this.lastChange = Number(list.dataset.lastChange ?? 0);
    this.connection = new LiveConnection({
      socketUrl: list.dataset.liveUrl,
      pollUrl: list.dataset.pollUrl,
      lastSequence: () => this.last,
      lastChange: () => this.lastChange,
      onOpen: () => this.resume(),
      onMessage: (message) => this.receive(message),
      onPoll: (html) => this.receivePoll(html),
      onState: (state) => this.showState(state),
      onGone: () => this.leave(),
    });
    this.presence = new Presence((message) => this.connection.send(message));
  }

  start() {
    this.markDays();
    this.connection.start();
    this.newEntriesButton?.addEventListener("click", () => this.toTop());
    for (const scrolled of [window, this.scroller]) {
      scrolled?.addEventListener("scroll", () => this.isAtTop() && this.clearUnread(), { passive: true });
    }
    for (const button of document.querySelectorAll("[data-timeline-filter]")) {
      button.addEventListener("click", () => this.filter(button.dataset.timelineFilter));
    }
    // Older entries, loaded by a person, are entries like any other.
    document.body.addEventListener("htmx:afterSettle", () => this.adopt());
    document.body.addEventListener("focusout", () => setTimeout(() => this.replaceWaiting()));
    this.list.ownerDocument.addEventListener("toggle", () => this.replaceWaiting(), true);
    document.addEventListener("sitrep:settled", () => this.replaceWaiting());
    this.presence.start();
  }

  entries() {
    return [...this.list.querySelectorAll(":scope > [data-sequence]")];
  }

  receive(message) {
    if (message.type === "entry") this.receiveEntry(message.sequence, message.html);
    else if (message.type === "entry-changed") this.receiveChange(message);
    else if (message.type === "header" || message.type === "fragment") this.replaceFragment(message.target, message.html);
    else if (message.type === "presence") this.presence.show(message.people);
    else if (message.type === "resumed") this.settle(message.sequence, message.change ?? 0);
    else if (message.type === "gone") this.leave();
  }

  receivePoll(html) {
    for (const element of parse(html).reverse()) {
      if (element.dataset.sequence) {
        this.receiveEntry(Number(element.dataset.sequence), element);
        this.lastChange = Math.max(this.lastChange, Number(element.dataset.change ?? 0));
      } else if (element.id) this.replaceFragment(element.id, element);
    }
  }

  receiveEntry(sequence, html) {
    if (this.seen.has(sequence)) {
      this.changeEntry(sequence, html);
      return;
    }
    const isNew = sequence > this.last;
    this.insert(sequence, html);
    if (sequence > this.last + 1) this.resume();
    this.settle();
    if (isNew && !this.isAtTop()) this.countUnread();
  }

  receiveChange({ sequence, change, html }) {
    this.changeEntry(sequence, html);
    if (change === this.lastChange + 1) this.lastChange = change;
    else if (change > this.lastChange) this.resume();
  }

  /** Asks for everything after the last entry without a hole; only the server's answer settles what is missing. */
  resume() {
    this.presence.beat();
    this.connection.send({ type: "resume", after: this.last, changed_after: this.lastChange });
  }

  /** Moves on to the last entry without a hole before it; what the server has answered for has none. */
  settle(answeredUntil = 0, changesUntil = 0) {
    this.last = Math.max(this.last, answeredUntil);
    this.lastChange = Math.max(this.lastChange, changesUntil);
    while (this.seen.has(this.last + 1)) this.last += 1;
  }

  insert(sequence, html) {
    const [entry] = typeof html === "string" ? parse(html) : [html];
    if (!entry) return;
    this.seen.add(sequence);
    entry.classList.add("is-new");
    setTimeout(() => entry.classList.remove("is-new"), NEW_MILLISECONDS);
    this.keepingPlace(() => {
      this.place(entry);
      this.settleIn(entry);
      this.markDays();
    });
    if (sequence >= Math.max(...this.seen)) announce(entry.querySelector(".entry-body")?.textContent.trim() ?? entry.textContent.trim());
    this.list.dispatchEvent(new CustomEvent("sitrep:entry", { bubbles: true, detail: { sequence } }));
  }

  /** Puts an entry where it belongs; one that is older than all that is shown waits until those are asked for. */
  place(entry) {
    const older = this.entries().find((other) => other !== entry && isBefore(other, entry));
    const more = this.list.querySelector(":scope > [data-entries-more]");
    if (older) older.before(entry);
    else if (more) entry.remove();
    else this.list.append(entry);
  }

  changeEntry(sequence, html) {
    const entry = this.list.querySelector(`:scope > [data-sequence="${sequence}"]`);
    const [changed] = typeof html === "string" ? parse(html) : [html];
    if (!changed || entry?.isEqualNode(changed)) return;
    if (entry && isInUse(entry)) {
      this.waiting.set(`entry-${sequence}`, () => this.changeEntry(sequence, changed));
      return;
    }
    const focused = entry?.contains(document.activeElement) ? [...entry.querySelectorAll("button")].indexOf(document.activeElement) : -1;
    this.keepingPlace(() => {
      if (entry?.dataset.at === changed.dataset.at) {
        entry.replaceWith(changed);
      } else {
        entry?.remove();
        this.place(changed);
      }
      if (changed.isConnected) this.settleIn(changed);
      this.markDays();
    });
    if (focused >= 0) [...changed.querySelectorAll("button")].at(Math.min(focused, changed.querySelectorAll("button").length - 1))?.focus({ preventScroll: true });
  }

  /** Replaces a part of the page; of one that is made of parts with ids, those that say something else now. */
  replaceFragment(target, html) {
    const [fresh] = typeof html === "string" ? parse(html) : [html];
    const old = fresh && document.getElementById(target ?? fresh.id);
    if (!old) return;
    const parts = [...fresh.children];
    if (parts.length && parts.every((part) => part.id)) this.replaceParts(old, parts);
    else this.replacePart(old, fresh);
  }

  replaceParts(holder, parts) {
    const names = new Set(parts.map((part) => part.id));
    for (const old of [...holder.children]) if (!names.has(old.id)) old.remove();
    let before = null;
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (old) this.replacePart(old, part);
      else if (before) before.after(part);
      else holder.prepend(part);
      if (!old) window.htmx?.process(part);
      before = document.getElementById(part.id);
    }
  }

  replacePart(old, fresh) {
    const said = fresh.outerHTML;
    if (this.said.get(old.id) === said) return;
    const editors = old.querySelectorAll("inline-edit:is([busy], :has(.inline-form))");
    if (isInUse(old) || [...editors].some((editor) => !placeOf(editor, fresh))) {
      this.waiting.set(old.id, () => {
        const standing = document.getElementById(old.id);
        if (standing) this.replacePart(standing, fresh);
      });
      return;
    }
    this.said.set(old.id, said);
    fresh.removeAttribute("hx-swap-oob");
    for (const unfolded of old.querySelectorAll("details[id][open]")) {
      fresh.querySelector(`#${unfolded.id}`)?.setAttribute("open", "");
    }
    const restoreFocus = focusIn(old);
    for (const editor of editors) carry(editor, fresh);
    this.keepingPlace(() => {
      old.replaceWith(fresh);
      window.htmx?.process(fresh);
    });
    restoreFocus(fresh);
  }

  /** What a person is using at this moment is replaced once they let go of it. */
  replaceWaiting() {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const replace of waiting) replace();
  }

  settleIn(entry) {
    window.htmx?.process(entry);
    entry.hidden = !this.isWanted(entry);
    entry.dispatchEvent(new CustomEvent("sitrep:entry-shown", { bubbles: true }));
  }

  adopt() {
    const there = new Set();
    for (const entry of this.entries()) {
      const sequence = Number(entry.dataset.sequence);
      // One that has moved since may be among the older ones too.
      if (there.has(sequence)) entry.remove();
      there.add(sequence);
      this.seen.add(sequence);
      entry.hidden = !this.isWanted(entry);
      entry.dispatchEvent(new CustomEvent("sitrep:entry-shown", { bubbles: true }));
    }
    this.markDays();
  }

  isWanted(entry) {
    const kind = this.list.dataset.filter ?? "all";
    return kind === "all" || (entry.dataset.kind ?? "").split(" ").includes(kind);
  }

  filter(kind) {
    this.list.dataset.filter = kind;
    for (const entry of this.entries()) entry.hidden = !this.isWanted(entry);
    for (const button of document.querySelectorAll("[data-timeline-filter]")) {
      button.setAttribute("aria-pressed", String(button.dataset.timelineFilter === kind));
    }
    this.markDays();
    if (this.isPartial || this.list.querySelector(":scope > [data-entries-more]")) this.reload(kind);
  }

  /** Asks for the newest entries of a kind: those that are not on the page yet may be among them. */
  async reload(kind) {
    try {
      const url = new URL(location.pathname, location.href);
      url.searchParams.set("kinds", kind);
      const response = await fetch(url, { headers: { "HX-Request": "true" } });
      if (!response.ok || response.redirected || this.list.dataset.filter !== kind) return;
      this.isPartial = kind !== "all";
      this.list.innerHTML = await response.text();
      window.htmx?.process(this.list);
      this.adopt();
    } catch {
      // Offline: what is on the page is filtered all the same.
    }
  }

  /** Parts the entries by the viewer's own days, newest first; today needs no heading at the top. */
  markDays() {
    for (const heading of this.list.querySelectorAll(":scope > .entry-day")) heading.remove();
    let day = localDay(new Date());
    for (const entry of this.entries()) {
      const instant = new Date(entry.dataset.at ?? entry.querySelector("[datetime]")?.getAttribute("datetime"));
      if (entry.hidden || Number.isNaN(instant.getTime())) continue;
      const entryDay = localDay(instant);
      if (entryDay !== day) {
        const heading = document.createElement("li");
        heading.className = "entry-day";
        heading.textContent = entryDay;
        entry.before(heading);
      }
      day = entryDay;
    }
  }

  /** Runs a change without moving what the reader is looking at. */
  keepingPlace(change) {
    const edge = this.scrolls() ? this.scroller.getBoundingClientRect().top : 64;
    const anchor = this.isAtTop() ? null : this.entries().find((entry) => entry.getBoundingClientRect().bottom > edge);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) return;
    const moved = { top: anchor.getBoundingClientRect().top - before, behavior: "instant" };
    if (this.scrolls()) this.scroller.scrollBy(moved);
    else scrollBy(moved);
  }

  /** Whether the timeline scrolls by itself and not with the page. */
  scrolls() {
    return this.scroller !== null && getComputedStyle(this.scroller).overflowY === "auto";
  }

  isAtTop() {
    if (this.scrolls()) return this.scroller.scrollTop <= 0;
    return this.list.getBoundingClientRect().top >= 0;
  }

  toTop() {
    if (this.scrolls()) this.scroller.scrollTo({ top: 0, behavior: "smooth" });
    else this.list.scrollIntoView({ behavior: "smooth" });
  }

  countUnread() {
    this.unread += 1;
    if (!this.newEntriesButton) return;
    this.newEntriesButton.hidden = false;
    this.newEntriesButton.replaceChildren(iconElement("arrow-up"), word("newEntries", { count: this.unread }));
  }

  clearUnread() {
    if (!this.unread) return;
    this.unread = 0;
    if (this.newEntriesButton) this.newEntriesButton.hidden = true;
  }

  showState(state) {
    if (!this.stateElement) return;
    this.stateElement.dataset.state = state;
    if (state === "reconnecting") this.presence.showWriting([]);
    this.stateElement.textContent = word(state);
  }

  leave() {
    this.connection.stop();
    location.replace(this.list.dataset.goneUrl ?? "/incidents/");
  }
}

const placeOf = (editor, fresh) => fresh.querySelector(`inline-edit[field="${CSS.escape(editor.getAttribute("field"))}"]`);

/** An editor that is open, or waits for its answer, moves into the fresh part as it is, and hears what stands now. */
function carry(editor, fresh) {
  const place = placeOf(editor, fresh);
  const shown = [...place.childNodes];
  const value = place.getAttribute("value") ?? "";
  place.replaceWith(editor);
  editor.stands(value, shown);
}

/** Remembers which element inside has the focus, and where its cursor is; returns what gives both back. */
function focusIn(holder) {
  const element = holder.contains(document.activeElement) ? document.activeElement : null;
  const editor = element?.closest("inline-edit");
  const [start, end] = [element?.selectionStart, element?.selectionEnd];
  return (fresh) => {
    const target = element?.isConnected ? element : editor && placeOf(editor, fresh);
    target?.focus({ preventScroll: true });
    if (target === element && Number.isInteger(start)) element.setSelectionRange(start, end);
  };
}

/** Whether an entry stands below another: it happened before it, or was written first in the same instant. */
function isBefore(entry, other) {
  const [at, otherAt] = [entry.dataset.at ?? "", other.dataset.at ?? ""];
  return at === otherAt ? Number(entry.dataset.sequence) < Number(other.dataset.sequence) : at < otherAt;
}

/** On a phone: the timeline or what stands beside it. */
function startParts() {
  for (const button of document.querySelectorAll("[data-show-part]")) {
    button.addEventListener("click", () => {
      document.querySelector(".incident-page").dataset.part = button.dataset.showPart;
      for (const each of document.querySelectorAll("[data-show-part]")) {
        each.setAttribute("aria-pressed", String(each === button));
      }
    });
  }
}

export function startLive() {
  startParts();
  const list = document.querySelector("#timeline[data-live-url]");
  if (list) new LiveTimeline(list).start();
}
