// What a page asks for once it is shown: <div data-later hx-get="…" hx-trigger="load, later">. Whoever needs a part of it
// before it has come, or after it failed to, asks again and waits.

export function whenThere(id, act) {
  const there = document.getElementById(id);
  if (there) return act(there);
  const later = document.querySelector("[data-later]");
  if (!later) return undefined;
  later.addEventListener(
    "htmx:afterSettle",
    () => {
      const come = document.getElementById(id);
      if (come) act(come);
    },
    { once: true },
  );
  return later.dispatchEvent(new Event("later"));
}
