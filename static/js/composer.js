// The box in which people write into an incident: messages, commands after a slash, people after an @, files.
//   <form data-composer data-completions-url="…"> with a textarea, a list of options, a file field.
// What was refused stays, with its reason beside it.
import { announce, iconElement, word } from "./words.js";

const WAIT_MILLISECONDS = 120;

class Composer {
  constructor(form) {
    this.form = form;
    this.field = form.querySelector("textarea");
    this.options = form.querySelector("#composer-options");
    this.usage = form.querySelector("#composer-usage");
    this.error = form.querySelector("#composer-error");
    this.files = form.querySelector("input[type='file']");
    this.fileList = form.querySelector("[data-composer-files]");
    this.reply = form.querySelector("[data-composer-reply]");
    this.current = 0;
    this.found = [];
  }

  start() {
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.pressed(event), true);
    this.field.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.field.addEventListener("paste", (event) => this.pasted(event));
    this.files.addEventListener("change", () => this.showFiles());
    this.form.querySelector("[data-reply-off]").addEventListener("click", () => this.replyTo(null));
    this.form.addEventListener("click", (event) => event.target.closest("[data-answer-close]") && event.target.closest(".composer-answer").remove());
    this.form.addEventListener("htmx:beforeRequest", (event) => this.sending(event));
    this.form.addEventListener("htmx:afterRequest", (event) => event.target === this.form && this.after(event.detail));
    // Why something was refused stands beside it, and needs no toast too.
    this.form.addEventListener("toast", (event) => event.detail.level === "error" && event.stopPropagation());
    document.addEventListener("sitrep:reply", (event) => this.replyTo(event.detail));
    for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => this.dropped(event));
  }

  /** Nothing is sent without words or files. */
  sending(event) {
    if (event.target !== this.form) return;
    if (!this.field.value.trim() && !this.files.files.length) event.preventDefault();
    this.error.hidden = true;
    this.close();
  }

  after({ successful, xhr }) {
    if (successful) {
      this.files.value = "";
      this.showFiles();
      this.replyTo(null);
      this.form.querySelector("select").selectedIndex = 0;
      return;
    }
    this.refuse(reasonOf(xhr) ?? word("offline"));
  }

  refuse(reason) {
    this.error.textContent = reason;
    this.error.hidden = false;
    this.field.focus();
  }

  replyTo(entry) {
    this.form.elements.reply_to.value = entry?.sequence ?? "";
    this.reply.hidden = !entry;
    if (!entry) return;
    this.reply.firstElementChild.textContent = this.form.dataset.replying.replace("{name}", entry.name);
    this.field.focus();
  }

  // --- What can come next

  /** What stands before the cursor. */
  before() {
    return this.field.value.slice(0, this.field.selectionStart);
  }

  typed() {
    this.error.hidden = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT_MILLISECONDS);
  }

  async ask() {
    const text = this.before();
    this.running?.abort();
    if (!text.trimStart().startsWith("/") && !/(^|[^\w@./])@[\w.+@-]*$/u.test(text)) {
      this.close();
      return;
    }
    this.running = new AbortController();
    try {
      const url = `${this.form.dataset.completionsUrl}?text=${encodeURIComponent(text)}`;
      const response = await fetch(url, { signal: this.running.signal, headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      this.show(await response.json(), text);
    } catch (error) {
      if (error.name !== "AbortError") this.close();
    }
  }

  show({ start, suggestions, usage, help }, text) {
    if (this.before() !== text) return;
    this.from = start;
    this.askedFor = text;
    this.hasMoved = false;
    this.found = suggestions.filter((each) => text.slice(start) !== each.insert || suggestions.length > 1);
    this.current = 0;
    this.usage.textContent = usage ? `${usage}: ${help}` : "";
    this.usage.hidden = !usage;
    this.options.replaceChildren(...this.found.map((each, index) => this.optionFor(each, index)));
    this.options.hidden = !this.found.length;
    this.field.setAttribute("aria-expanded", String(!this.options.hidden));
    this.point();
  }

  optionFor(suggestion, index) {
    const option = document.createElement("div");
    option.className = "composer-option";
    option.id = `composer-option-${index}`;
    option.setAttribute("role", "option");
    const title = document.createElement("span");
    title.className = "composer-option-title";
    title.textContent = suggestion.title;
    const about = document.createElement("span");
    about.className = "composer-option-about";
    about.textContent = suggestion.about;
    option.append(title, about);
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("click", () => this.take(index));
    return option;
  }

  point() {
    [...this.options.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.current));
      if (index === this.current) option.scrollIntoView({ block: "nearest" });
    });
    const chosen = this.options.children[this.current];
    if (chosen) this.field.setAttribute("aria-activedescendant", chosen.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const rest = this.field.value.slice(this.field.selectionStart);
    const text = `${this.field.value.slice(0, this.from)}${this.found[index].insert} `;
    this.field.value = text + rest.replace(/^\S*\s?/, "");
    this.field.setSelectionRange(text.length, text.length);
    this.close();
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
    this.field.focus();
  }

  close() {
    this.options.hidden = true;
    this.usage.hidden = true;
    this.found = [];
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  pressed(event) {
    if (event.isComposing) return;
    const isOpen = this.found.length > 0 && !this.options.hidden && this.askedFor === this.before();
    if (isOpen && event.key.startsWith("Arrow")) this.hasMoved = true;
    if (event.key === "Escape" && (isOpen || !this.usage.hidden)) this.close();
    else if (event.key === "Escape" && !this.reply.hidden) this.replyTo(null);
    else if (isOpen && event.key === "ArrowDown") this.current = (this.current + 1) % this.found.length;
    else if (isOpen && event.key === "ArrowUp") this.current = (this.current + this.found.length - 1) % this.found.length;
    else if (isOpen && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !this.isComplete()))) this.take(this.current);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.point();
  }

  /** Whether nobody has chosen an option and what stands there is one, or nothing was begun: Enter then sends. */
  isComplete() {
    const typed = this.before().slice(this.from);
    return !this.hasMoved && (typed === "" || this.found.some((each) => each.insert === typed));
  }

  // --- Files

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.addFiles(files);
  }

  dropped(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    this.form.classList.toggle("is-dropping", event.type === "dragover");
    if (event.type === "drop") this.addFiles([...event.dataTransfer.files]);
  }

  addFiles(files) {
    const all = new DataTransfer();
    for (const file of [...this.files.files, ...files]) all.items.add(file);
    this.files.files = all.files;
    this.showFiles();
    this.field.focus();
  }

  showFiles() {
    const most = Number(this.form.dataset.mostBytes);
    const fitting = new DataTransfer();
    for (const file of this.files.files) {
      if (file.size <= most) fitting.items.add(file);
      else this.refuse(this.form.dataset.tooLarge.replace("{name}", file.name).replace("{most}", String(Math.floor(most / 1048576))));
    }
    if (fitting.files.length !== this.files.files.length) this.files.files = fitting.files;
    this.fileList.replaceChildren(...[...this.files.files].map((file, index) => this.fileItem(file, index)));
    this.fileList.hidden = !this.files.files.length;
    if (this.files.files.length) announce([...this.files.files].map((file) => file.name).join(", "));
  }

  fileItem(file, index) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-quiet btn-icon btn-sm";
    button.setAttribute("aria-label", this.form.dataset.takeOff.replace("{name}", file.name));
    button.append(iconElement("x"));
    button.addEventListener("click", () => {
      const rest = new DataTransfer();
      [...this.files.files].forEach((each, place) => place !== index && rest.items.add(each));
      this.files.files = rest.files;
      this.showFiles();
    });
    item.append(iconElement("paperclip"), file.name, button);
    return item;
  }
}

/** Why a request was refused, as the server told it for a toast. */
function reasonOf(xhr) {
  try {
    return JSON.parse(xhr.getResponseHeader("HX-Trigger")).toast.message;
  } catch {
    return null;
  }
}

export function startComposer() {
  const form = document.querySelector("form[data-composer]");
  if (form) new Composer(form).start();
}
