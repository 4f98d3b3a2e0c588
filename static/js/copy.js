// Copy buttons: `data-copy="text"`, or `data-copy-from="id"` for the text of another element.
import { announce, word } from "./words.js";

async function copy(button) {
  const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom) : null;
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS there is no clipboard: select the text, so that one key copies it.
    if (source) getSelection().selectAllChildren(source);
    announce(word("pressToCopy"));
    return;
  }
  button.dataset.copied = "";
  announce(word("copied"));
  setTimeout(() => delete button.dataset.copied, 1800);
}

export function startCopy() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (button) copy(button);
  });
}
