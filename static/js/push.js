// The button that lets this browser receive pages: <button data-push-key="…" data-push-url="…" hidden>.
import { toast } from "./toasts.js";
import { word } from "./words.js";

const bytesOf = (key) => Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

/** A name by which its owner knows this browser again. */
function nameOf(agent) {
  const browser = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
  const system = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Mac", "Mac"], ["Windows", "Windows"], ["Linux", "Linux"]];
  const found = (list) => list.find(([mark]) => agent.includes(mark))?.[1];
  return [found(browser), found(system)].filter(Boolean).join(" · ");
}

async function subscribe(button) {
  if ((await Notification.requestPermission()) !== "granted") return toast(word("pushRefused"), "error");
  await navigator.serviceWorker.register("/service-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(button.dataset.pushKey) };
  // A subscription for another key, of another installation at this address, stands in the way.
  await (await pushManager.getSubscription())?.unsubscribe();
  const subscription = await pushManager.subscribe(options);
  const response = await fetch(button.dataset.pushUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) },
    body: JSON.stringify({ subscription: subscription.toJSON(), label: nameOf(navigator.userAgent) }),
  });
  if (response.ok) {
    // For the service worker, when the browser replaces the subscription one day.
    await (await caches.open("push")).put("/push-endpoint", new Response(subscription.endpoint)).catch(() => undefined);
    return location.reload();
  }
  const said = await response.json().catch(() => ({}));
  return toast(said.message ?? word("failed"), "error");
}

export function startPush() {
  const button = document.querySelector("[data-push-key]");
  if (!button) return;
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await subscribe(button);
    } catch {
      toast(word("pushFailed"), "error");
    } finally {
      button.disabled = false;
    }
  });
}
