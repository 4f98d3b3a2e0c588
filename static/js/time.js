// Times in the viewer's zone: <relative-time>, <local-time>, <duration-clock>. The server sends UTC and nothing else.
import { language, word } from "./words.js";

const viewerZone = document.documentElement.dataset.timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone;
// Plain "en" means day before month and 24 hours, whoever reads it.
const formatLanguage = language === "en" ? "en-GB" : language;
const formatters = new Map();

function formatter(options, zone) {
  const key = JSON.stringify([options, zone]);
  if (!formatters.has(key)) {
    formatters.set(key, new Intl.DateTimeFormat(formatLanguage, { ...options, timeZone: zone, hourCycle: "h23" }));
  }
  return formatters.get(key);
}

// Further away than this, a weekday alone could be that of another week.
const WEEKDAY_MEANS_THIS = 6 * 86400 * 1000;

const FORMATS = {
  time: { hour: "2-digit", minute: "2-digit" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  date: { day: "numeric", month: "short", year: "numeric" },
  day: { weekday: "short", day: "numeric", month: "short" },
  weekday: { weekday: "short", hour: "2-digit", minute: "2-digit" },
  weekdate: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  datetime: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  zone: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
  exact: { dateStyle: "full", timeStyle: "long" },
};

/** Returns an instant as text; the format is a name of FORMATS, the zone the viewer's unless another is named. */
export function formatInstant(instant, format = "datetime", zone = viewerZone) {
  try {
    const named = format === "weekday" && Math.abs(instant - Date.now()) > WEEKDAY_MEANS_THIS ? "weekdate" : format;
    return formatter(FORMATS[named] ?? FORMATS.datetime, zone).format(instant);
  } catch {
    return formatter(FORMATS.datetime, "UTC").format(instant);
  }
}

/** Returns the viewer's calendar day of an instant, to group entries by. */
export function localDay(instant) {
  return formatInstant(instant, "day");
}

const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** Returns "6 min ago", "in 3 hr", or the date for what is more than a month away. */
export function formatRelative(instant, now = Date.now()) {
  const seconds = (instant.getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return word("justNow");
  if (size > 30 * 86400) return formatInstant(instant, "date");
  const [unit, length] = STEPS.find(([, step]) => size >= step * 0.95) ?? STEPS[2];
  const style = unit === "day" ? "long" : "short";
  const relative = new Intl.RelativeTimeFormat(formatLanguage, { numeric: unit === "day" ? "auto" : "always", style });
  return relative.format(Math.round(seconds / length), unit).replace(".", "");
}

/** Returns 0:42:10, or 8:12 for less than an hour. */
export function formatClock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours >= 72) return word("daysAndHours", { days: Math.floor(hours / 24), hours: hours % 24 });
  return `${hours}:${pad(minutes)}:${pad(rest)}`;
}

const ticking = new Set();

class TimeElement extends HTMLElement {
  connectedCallback() {
    ticking.add(this);
    this.render();
  }

  disconnectedCallback() {
    ticking.delete(this);
  }

  instant(name) {
    const text = this.getAttribute(name);
    const instant = text ? new Date(text) : null;
    return instant && !Number.isNaN(instant.getTime()) ? instant : null;
  }

  show(text, instant) {
    if (this.textContent !== text) this.textContent = text;
    if (instant && !this.title) this.title = formatInstant(instant, "exact");
  }
}

class RelativeTime extends TimeElement {
  everySeconds = 10;

  render() {
    const instant = this.instant("datetime");
    if (instant) this.show(formatRelative(instant), instant);
  }
}

class LocalTime extends TimeElement {
  everySeconds = 0;

  render() {
    const instant = this.instant("datetime");
    const zone = this.getAttribute("zone") || viewerZone;
    if (instant) this.show(formatInstant(instant, this.getAttribute("format") ?? "datetime", zone), instant);
  }
}

class DurationClock extends TimeElement {
  everySeconds = 1;

  render() {
    const [since, until] = [this.instant("since"), this.instant("until")];
    const end = this.instant("end")?.getTime() ?? Date.now();
    if (since) {
      this.show(formatClock((end - since.getTime()) / 1000), since);
    } else if (until) {
      const left = (until.getTime() - Date.now()) / 1000;
      this.classList.toggle("is-overdue", left < 0);
      const clock = formatClock(Math.abs(left)).replace(/^0:0?/, "");
      this.show(word(left < 0 ? "overdueBy" : "dueIn", { time: clock }), until);
    }
  }
}

export function startTimes() {
  customElements.define("relative-time", RelativeTime);
  customElements.define("local-time", LocalTime);
  customElements.define("duration-clock", DurationClock);
  let second = 0;
  setInterval(() => {
    second += 1;
    for (const element of ticking) {
      if (element.everySeconds && second % element.everySeconds === 0) element.render();
    }
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const element of ticking) element.render();
  });
}
