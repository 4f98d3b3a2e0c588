// A value that is edited where it stands:
//   <inline-edit field="severity" kind="choice" choices="severities" value="sev2" label="Severity">…what is shown…</inline-edit>
// Kinds: text, long, number, time (datetime-local), choice (options from <template id="choices-…">). A click, Enter or `e`
// opens it; Enter saves, Escape leaves. What was chosen shows at once; a refused change comes back with its reason beside
// it, and what was typed stays. The server is told what the editor saw (`was`), so that nobody overwrites unseen news.
import { whenThere } from "./later.js";
import { toast } from "./toasts.js";
import { iconElement, word } from "./words.js";

const page = document.querySelector("[data-set-url]");
const MANY = 8;

/** The value as the form of its kind writes it. */
const asTyped = (kind, value) => {
  if (kind !== "time" || !value) return value;
  const at = new Date(value);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};
const asSent = (kind, typed) => (kind === "time" && typed ? new Date(typed).toISOString() : typed);

async function send(field, value, was, more = {}) {
  const body = new URLSearchParams({ field, value, was, ...more });
  const headers = { Accept: "application/json", ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") };
  try {
    const response = await fetch(page.dataset.setUrl, { method: "POST", body, headers, signal: AbortSignal.timeout(20000) });
    const type = response.headers.get("Content-Type") ?? "";
    const answer = type.includes("json") ? await response.json() : {};
    if (response.ok && !response.redirected) return { ok: true, ...answer };
    return { ok: false, error: answer.error ?? { message: word(response.status === 403 ? "forbidden" : "failed") } };
  } catch {
    return { ok: false, error: { message: word("offline") } };
  }
}

function button(text, icon, primary = false) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `btn btn-sm${primary ? " btn-primary" : ""}`;
  if (icon) made.append(iconElement(icon));
  made.append(text);
  return made;
}

class InlineEdit extends HTMLElement {
  connectedCallback() {
    if (this.isReady || !this.closest(".may-respond")) return;
    this.isReady = true;
    this.tabIndex = 0;
    this.setAttribute("role", "button");
    this.describe();
    this.addEventListener("click", (event) => this.onClick(event));
    this.addEventListener("keydown", (event) => this.onKey(event));
  }

  get field() {
    return this.getAttribute("field");
  }

  get kind() {
    return this.getAttribute("kind");
  }

  get value() {
    return this.getAttribute("value") ?? "";
  }

  get label() {
    return this.getAttribute("label");
  }

  describe() {
    this.setAttribute("aria-label", word("edit", { label: this.label, value: this.textContent.trim() }));
    this.title = this.title || word("editTitle", { label: this.label });
  }

  onClick(event) {
    if (this.editor || event.target.closest("a[href]")) return;
    event.preventDefault();
    this.open();
  }

  onKey(event) {
    if (this.editor || event.target !== this || event.metaKey || event.ctrlKey || event.altKey) return;
    if (!["Enter", " ", "e"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.open();
  }

  /** Hears, while somebody edits, what stands on the server now. */
  stands(value, shown) {
    this.standing = { value, shown };
    if (value === this.value) return;
    this.setAttribute("value", value);
    this.shown = shown;
    if (!this.editor || this.kind === "choice") return;
    this.news?.remove();
    this.news = document.createElement("span");
    this.news.className = "inline-news";
    this.news.setAttribute("role", "status");
    this.news.textContent = word("meanwhile", { value: value || "–" });
    this.editor.append(this.news);
  }

  /** Opens the editor with what stands now, or with what somebody typed before. */
  open(typed = asTyped(this.kind, this.value)) {
    if (this.editor) return;
    this.was ??= this.value;
    if (this.kind === "choice") whenThere(`choices-${this.getAttribute("choices")}`, (choices) => this.openChoices(choices));
    else this.openField(typed);
  }

  openField(typed) {
    this.shown = [...this.childNodes];
    this.removeAttribute("role");
    this.removeAttribute("tabindex");
    const form = document.createElement("form");
    form.className = `inline-form inline-form-${this.kind}`;
    const input = document.createElement(this.kind === "long" ? "textarea" : "input");
    if (this.kind === "number") input.inputMode = "numeric";
    if (this.kind === "time") input.type = "datetime-local";
    if (this.kind === "long") input.rows = 4;
    if (this.hasAttribute("maxlength")) input.maxLength = Number(this.getAttribute("maxlength"));
    input.className = this.kind === "long" ? "textarea" : "input";
    input.setAttribute("aria-label", this.label);
    input.value = typed;
    const save = button(word("save"), null, true);
    save.type = "submit";
    const leave = button(word("cancel"));
    leave.addEventListener("click", () => this.close());
    const buttons = document.createElement("span");
    buttons.className = "inline-buttons";
    buttons.append(save, leave);
    form.append(input);
    if (this.hasAttribute("asks-reason")) form.append(this.reasonField());
    form.append(buttons);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(asSent(this.kind, input.value));
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.close();
      } else if (event.key === "Enter" && !event.isComposing && this.kind === "long" && (event.metaKey || event.ctrlKey)) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    // An editor that nothing was typed into leaves with the focus.
    form.addEventListener("focusout", () =>
      setTimeout(() => {
        const isPristine = asSent(this.kind, input.value) === asSent(this.kind, asTyped(this.kind, this.value));
        if (this.editor === form && !form.contains(document.activeElement) && isPristine && !this.refusal) this.close(false);
      }),
    );
    this.editor = form;
    this.replaceChildren(form);
    input.focus();
    input.select?.();
  }

  reasonField() {
    const reason = document.createElement("input");
    reason.className = "input";
    reason.name = "reason";
    reason.required = true;
    reason.maxLength = 500;
    reason.placeholder = word("reason");
    reason.setAttribute("aria-label", word("reason"));
    return reason;
  }

  openChoices(choices) {
    if (this.editor) return;
    const panel = document.createElement("div");
    panel.className = "menu-panel inline-choices";
    panel.popover = "auto";
    const list = document.createElement("div");
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", this.label);
    list.append(choices.content.cloneNode(true));
    const options = [...list.querySelectorAll("[role=option]")];
    for (const option of options) {
      option.setAttribute("aria-selected", String(option.value === this.value));
      option.addEventListener("click", (event) => {
        event.stopPropagation();
        this.choose(option);
      });
    }
    if (options.length > MANY) panel.append(this.narrowing(options));
    panel.append(list);
    panel.addEventListener("keydown", (event) => this.onChoiceKey(event, options));
    panel.addEventListener("toggle", (event) => event.newState === "closed" && this.closeChoices(panel));
    this.editor = panel;
    // Beside the page and not inside: what is shown may be replaced while somebody chooses.
    (this.closest("dialog") ?? document.body).append(panel);
    panel.showPopover();
    this.place(panel);
    (panel.querySelector("input") ?? options.find((option) => option.value && option.value === this.value) ?? options[0])?.focus();
  }

  narrowing(options) {
    const search = document.createElement("input");
    search.className = "input";
    search.type = "search";
    search.placeholder = word("narrow");
    search.setAttribute("aria-label", word("narrow"));
    search.addEventListener("input", () => {
      const typed = search.value.trim().toLowerCase();
      for (const option of options) option.hidden = !option.dataset.words.toLowerCase().includes(typed);
    });
    return search;
  }

  place(panel) {
    const [here, size] = [this.getBoundingClientRect(), panel.getBoundingClientRect()];
    const left = Math.max(8, Math.min(here.left, innerWidth - size.width - 8));
    const below = here.bottom + 4;
    const top = below + size.height > innerHeight - 8 ? Math.max(8, here.top - size.height - 4) : below;
    panel.style.left = `${left}px`;
    panel.style.top = `${top}px`;
  }

  onChoiceKey(event, options) {
    const seen = options.filter((option) => !option.hidden);
    const at = seen.indexOf(document.activeElement);
    if (event.key === "ArrowDown") seen[(at + 1) % seen.length]?.focus();
    else if (event.key === "ArrowUp") seen[(at - 1 + seen.length) % seen.length]?.focus();
    else if (event.key === "Enter" && at < 0 && seen.length) this.choose(seen[0]);
    else return;
    event.preventDefault();
  }

  choose(option) {
    const shown = option.querySelector(".choice-shown").cloneNode(true);
    const editor = this.editor;
    this.editor = null;
    editor?.remove();
    this.save(option.value, shown);
  }

  closeChoices(panel) {
    if (this.editor !== panel) return;
    this.editor = null;
    panel.remove();
    this.was = undefined;
    if (this.isConnected) this.focus();
    this.settled();
  }

  close(takesFocus = true) {
    if (this.kind === "choice") {
      this.refusal?.remove();
      this.refusal = null;
      this.was = undefined;
      return;
    }
    this.editor = null;
    this.refusal = null;
    this.was = undefined;
    this.replaceChildren(...(this.shown ?? []));
    this.rest();
    if (takesFocus) this.focus();
    this.settled();
  }

  rest() {
    this.tabIndex = 0;
    this.setAttribute("role", "button");
    this.describe();
  }

  settled() {
    document.dispatchEvent(new CustomEvent("sitrep:settled"));
  }

  /** Shows the new value at once, and takes it back when the server refuses it. */
  async save(value, shown = null) {
    const was = this.was ?? this.value;
    const before = this.shown ?? [...this.childNodes];
    const reason = this.editor?.querySelector?.("[name=reason]")?.value;
    if (value === this.value && value === was) {
      this.close();
      return;
    }
    this.refusal?.remove();
    this.refusal = null;
    this.editor = null;
    const text = document.createElement("span");
    if (shown) text.append(...shown.childNodes);
    else text.textContent = this.kind === "time" && value ? new Date(value).toLocaleString() : value || "–";
    text.className = "is-saving";
    this.replaceChildren(text);
    this.setAttribute("busy", "");
    this.standing = null;
    const answer = await send(this.field, value, was, reason ? { reason } : {});
    this.removeAttribute("busy");
    this.shown = before;
    if (answer.ok) this.saved(was, answer, text);
    else this.refuse(answer.error, value, this.standing?.shown ?? before);
    this.settled();
  }

  saved(was, answer, text) {
    this.setAttribute("value", answer.value);
    this.shown = null;
    this.was = undefined;
    text.classList.remove("is-saving");
    // What the page was sent meanwhile shows it as the server does.
    if (this.standing?.value === answer.value) this.replaceChildren(...this.standing.shown);
    this.standing = null;
    this.rest();
    if (document.activeElement === document.body) this.focus();
    const undo = { label: word("undo"), run: () => undoChange(this.field, was, answer.value) };
    toast(word("nowIs", { label: this.label, value: answer.shown }), "success", answer.can_undo === false ? null : undo);
    for (const warning of answer.warnings ?? []) toast(warning, "warning");
  }

  /** Back to what was, with the reason beside it; what somebody typed stays. */
  refuse(error, value, before) {
    this.replaceChildren(...before);
    this.rest();
    const note = document.createElement("span");
    note.className = "inline-refusal";
    note.setAttribute("role", "alert");
    note.append([error.message, error.remedy].filter(Boolean).join(" "));
    if (error.code === "stale") note.append(...this.bothValues(error, value));
    if (this.kind === "choice") {
      const close = button(word("dismiss"));
      close.addEventListener("click", (event) => {
        event.stopPropagation();
        this.close();
      });
      if (error.code !== "stale") note.append(close);
      this.after(note);
    } else {
      this.shown = before;
      this.openField(asTyped(this.kind, value));
      this.editor.append(note);
      this.editor.querySelector("input, textarea")?.setAttribute("aria-invalid", "true");
    }
    this.refusal = note;
  }

  /** Somebody else was quicker: shows both, and lets the person choose. */
  bothValues(error, value) {
    const mine = button(word("useMine"), null, true);
    const theirs = button(word("keepTheirs"));
    mine.addEventListener("click", (event) => {
      event.stopPropagation();
      this.was = error.now;
      this.setAttribute("value", error.now);
      this.save(this.editor ? asSent(this.kind, this.editor.querySelector("input, textarea").value) : value);
    });
    theirs.addEventListener("click", (event) => {
      event.stopPropagation();
      this.refusal?.remove();
      this.close();
    });
    const buttons = document.createElement("span");
    buttons.className = "inline-buttons";
    buttons.append(mine, theirs);
    return [buttons];
  }
}

async function undoChange(field, value, was) {
  const answer = await send(field, value, was);
  if (!answer.ok) toast([answer.error.message, answer.error.remedy].filter(Boolean).join(" "), "error");
}

if (page) customElements.define("inline-edit", InlineEdit);
