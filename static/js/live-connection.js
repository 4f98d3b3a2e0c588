// How live news arrives: a websocket that comes back by itself, and polling for as long as there is none.
const FIRST_WAIT = 200;
const LONGEST_WAIT = 5000;
const POLL_EVERY = 3000;
const ANSWER_WITHIN = 5000;
const FAILURES_BEFORE_POLLING = 2;
const NO_ACCESS = new Set([4403, 4404]);
const SIGNED_OUT = 4401;

/** Calls back with "live", "polling" or "reconnecting" as the connection changes, and with every message. */
export class LiveConnection {
  constructor({ socketUrl, pollUrl, lastSequence, lastChange, onOpen, onMessage, onPoll, onState, onGone }) {
    Object.assign(this, { socketUrl, pollUrl, lastSequence, lastChange, onOpen, onMessage, onPoll, onState, onGone });
    this.failures = 0;
    this.stopped = false;
    this.probeTimer = null;
  }

  start() {
    this.connect();
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => !document.hidden && this.hurry());
    addEventListener("pagehide", () => this.socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.hurry());
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    clearTimeout(this.pollTimer);
    clearTimeout(this.probeTimer);
    this.socket?.close();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  connect() {
    if (this.stopped || this.socket) return;
    const url = new URL(this.socketUrl, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.failures = 0;
      clearTimeout(this.pollTimer);
      this.pollTimer = null;
      this.onState("live");
      this.onOpen();
    });
    socket.addEventListener("message", (event) => {
      clearTimeout(this.probeTimer);
      this.onMessage(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => this.socket === socket && this.closed(event.code));
  }

  closed(code) {
    this.socket = null;
    if (this.stopped) return;
    if (NO_ACCESS.has(code)) {
      this.onGone();
      return;
    }
    if (code === SIGNED_OUT) {
      location.reload();
      return;
    }
    this.failures += 1;
    if (!this.pollTimer) this.onState("reconnecting");
    if (this.failures >= FAILURES_BEFORE_POLLING && !this.pollTimer) this.poll();
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1));
    this.retryTimer = setTimeout(() => this.connect(), wait * (0.5 + Math.random() / 2));
  }

  hurry() {
    if (this.stopped) return;
    if (this.socket) {
      this.probe();
      return;
    }
    clearTimeout(this.retryTimer);
    this.connect();
  }

  /** Asks a socket that may have died unnoticed, while the machine slept, for a sign of life; without one it is replaced. */
  probe() {
    const socket = this.socket;
    if (socket.readyState !== WebSocket.OPEN) return;
    this.onOpen();
    clearTimeout(this.probeTimer);
    this.probeTimer = setTimeout(() => {
      if (this.socket !== socket) return;
      socket.close();
      this.closed(0);
    }, ANSWER_WITHIN);
  }

  async poll() {
    if (this.stopped || !this.pollUrl) return;
    this.pollTimer = setTimeout(() => this.poll(), POLL_EVERY);
    const timer = this.pollTimer;
    try {
      const url = new URL(this.pollUrl, location.href);
      url.searchParams.set("after", String(this.lastSequence()));
      url.searchParams.set("changed_after", String(this.lastChange()));
      const response = await fetch(url, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(POLL_EVERY) });
      if (response.status === 403 || response.status === 404) {
        this.onGone();
        return;
      }
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      const html = await response.text();
      if (this.pollTimer !== timer) return;
      this.onPoll(html);
      this.onState("polling");
    } catch {
      if (this.pollTimer === timer) this.onState("reconnecting");
    }
  }
}
