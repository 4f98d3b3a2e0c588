// The clock of the wall screen. What is open refreshes itself as on any page.
import { formatInstant } from "./time.js";

const clock = document.getElementById("wall-clock");

function tick() {
  const now = new Date();
  clock.textContent = formatInstant(now, "time");
  clock.dateTime = now.toISOString();
}

tick();
setInterval(tick, 1000);
