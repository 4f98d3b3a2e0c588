// What a page asks for once it is shown: <div data-later hx-get="…" hx-trigger="load, later">. Whoever needs a part of it
// before it has come, or after it failed to, asks again and waits; of several only the last is still wanted then.
let wanted = null;

export function whenThere(id, act) {
  const there = document.getElementById(id);
  if (there) return act(there);
  const later = document.querySelector("[data-later]");
  if (!later) return undefined;
  if (!wanted) later.addEventListener("htmx:afterSettle", come, { once: true });
  wanted = { id, act };
  return later.dispatchEvent(new Event("later"));
}

function come() {
  const { id, act } = wanted;
  wanted = null;
  const there = document.getElementById(id);
  if (there) act(there);
}
