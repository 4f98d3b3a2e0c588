// Shows pages as notifications, answers them from their buttons, and tells Sitrep that they arrived.
const RETRIES = [0, 2000, 8000];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** POSTs to a signed link; on a bad network it tries again. Resolves to what the server said, or null. */
async function post(address) {
  for (const pause of RETRIES) {
    await wait(pause);
    try {
      const response = await fetch(address, { method: "POST", credentials: "omit" });
      if (response.status < 500) return { done: response.ok, text: response.status === 204 ? "" : await readText(response) };
    } catch {
      // No network: the next try, or the page itself.
    }
  }
  return null;
}

async function readText(response) {
  try {
    return (await response.json()).text ?? "";
  } catch {
    return "";
  }
}

const act = (address) => post(`${address}act/`);

async function show(message) {
  const isPage = message.purpose === "page";
  await self.registration.showNotification(message.title, {
    body: message.body,
    tag: message.tag,
    renotify: isPage,
    requireInteraction: isPage,
    silent: message.purpose === "test",
    vibrate: isPage ? [300, 100, 300, 100, 600] : undefined,
    icon: "/static/icons/app-192.png",
    badge: "/static/icons/badge-96.png",
    data: message,
    actions: Object.entries(message.words ?? {}).map(([action, title]) => ({ action, title })),
  });
  if (!message.links?.received) return;
  await (isPage ? act(message.links.received) : post(message.links.received));
}

self.addEventListener("push", (event) => {
  if (event.data) event.waitUntil(show(event.data.json()));
});

/** Says what came of a button; when nobody answered, the page is opened instead. */
async function answer(message, verb) {
  const said = await act(message.links[verb]);
  if (said === null) return open(message.link);
  return self.registration.showNotification(message.title, {
    body: said.text,
    tag: message.tag,
    silent: true,
    icon: "/static/icons/app-192.png",
    badge: "/static/icons/badge-96.png",
    data: { ...message, words: {} },
  });
}

async function open(address) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const same = windows.find((each) => each.url === address);
  return same ? same.focus() : self.clients.openWindow(address);
}

self.addEventListener("notificationclick", (event) => {
  const message = event.notification.data;
  event.notification.close();
  event.waitUntil(event.action in (message.words ?? {}) ? answer(message, event.action) : open(message.link));
});

// The browser made a new subscription on its own: the old one is dead, so its owner is asked to subscribe again.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(
    self.registration.showNotification("Sitrep can no longer page you here", {
      body: "Open your profile and subscribe this browser again.",
      tag: "subscription",
      data: { link: "/settings/profile/", links: {} },
    }),
  );
});
