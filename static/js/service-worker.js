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

// Where the page keeps the endpoint that it subscribed with: not every browser says which subscription it has replaced.
const REMEMBERED = "/push-endpoint";
const RENEW = "/settings/contact-methods/push/renew/";

async function rememberedEndpoint() {
  const kept = await (await caches.open("push")).match(REMEMBERED);
  return kept ? kept.text() : "";
}

/** Tells Sitrep the new subscription in the name of whoever is signed in here; resolves to whether it took it. */
async function renew(event) {
  const oldEndpoint = event.oldSubscription?.endpoint || (await rememberedEndpoint());
  const asked = await fetch(RENEW, { credentials: "same-origin", redirect: "error" });
  if (!oldEndpoint || !asked.ok) return false;
  const { key, token } = await asked.json();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = event.newSubscription ?? (await self.registration.pushManager.subscribe(options));
  const { status, ok } = await fetch(RENEW, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify({ old_endpoint: oldEndpoint, subscription: subscription.toJSON() }),
  });
  if (ok) await (await caches.open("push")).put(REMEMBERED, new Response(subscription.endpoint));
  if (status >= 500) throw new Error(`answered ${status}`);
  return ok;
}

/** Tries again on a bad network; when it does not work the owner is asked to subscribe again. */
async function renewOrAsk(event) {
  for (const pause of RETRIES) {
    await wait(pause);
    try {
      if (await renew(event)) return undefined;
      break;
    } catch {
      // No network, or nobody is signed in: the next try, or the notification.
    }
  }
  return self.registration.showNotification("Sitrep can no longer page you here", {
    body: "Open your profile and subscribe this browser again.",
    tag: "subscription",
    data: { link: "/settings/profile/", links: {} },
  });
}

// The browser made a new subscription on its own: the old one is dead.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewOrAsk(event)));
