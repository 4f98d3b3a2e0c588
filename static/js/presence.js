// Who is here: this page says so every few seconds over the socket of its timeline, and shows who else does.
//   <ul id="presence">, <p id="typing">; a form or dialog with data-writes="message" or "update" says what is being written.
import { word } from "./words.js";

const EVERY = 20000;
const STILL_WRITING = 6000;

function initialFace(person) {
  const face = document.createElement("span");
  face.className = `face face-sm hue-${(Number(person.id) % 12) + 1}`;
  face.setAttribute("aria-hidden", "true");
  face.textContent = person.initials;
  return face;
}

export class Presence {
  constructor(send) {
    this.send = send;
    this.writing = "";
    this.me = document.querySelector("[data-viewer]")?.dataset.viewer ?? "";
  }

  start() {
    if (!document.getElementById("presence")) return;
    setInterval(() => this.beat(), EVERY);
    document.addEventListener("visibilitychange", () => this.beat());
    document.addEventListener("input", (event) => {
      const what = event.target.closest("[data-writes]")?.dataset.writes;
      if (what) this.writes(event.target.value === "" ? "" : what);
    });
    document.addEventListener("submit", () => this.writes(""));
    document.addEventListener("close", () => this.writes(""), true);
  }

  /** Says that somebody is here; a page that nobody looks at is left to expire. */
  beat() {
    if (!document.hidden) this.send({ type: "here", writing: this.writing });
  }

  writes(what) {
    clearTimeout(this.timer);
    if (what) this.timer = setTimeout(() => this.writes(""), STILL_WRITING);
    if (what === this.writing) return;
    this.writing = what;
    this.beat();
  }

  show(people) {
    const list = document.getElementById("presence");
    if (!list) return;
    document.getElementById("presence-panel").hidden = people.length === 0;
    list.replaceChildren(
      ...people.map((person) => {
        const item = document.createElement("li");
        item.classList.toggle("is-writing", Boolean(person.writing));
        item.append(initialFace(person), person.name);
        return item;
      }),
    );
    this.showWriting(people.filter((person) => person.writing && String(person.id) !== this.me));
  }

  showWriting(people) {
    const line = document.getElementById("typing");
    if (!line) return;
    const names = (writers) => writers.map((person) => person.name).join(", ");
    const updating = people.filter((person) => person.writing === "update");
    const talking = people.filter((person) => person.writing === "message");
    const parts = [];
    if (updating.length) parts.push(word("isUpdating", { names: names(updating) }));
    if (talking.length) parts.push(word(talking.length > 1 ? "areTyping" : "isTyping", { names: names(talking) }));
    line.textContent = parts.join(" ");
    line.hidden = parts.length === 0;
  }
}
