// Keeps the live cells of a page as /api/v1/live says, and says when it no longer can.
const words = JSON.parse(document.getElementById("live-words").textContent);
const link = document.getElementById("live");
// Asked each time: static/refresh.js may bring cells and take them away.
const cells = () => [...document.querySelectorAll("[data-live]")];
const MINUTE = 60_000, HOUR = 3_600_000, DAY = 86_400_000;
const began = performance.now();

function ageText(age) {
  if (age < MINUTE) return `${Math.max(0, Math.floor(age / 1000))} s`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  if (age < 2 * DAY) return `${Math.floor(age / HOUR)} h`;
  return `${Math.floor(age / DAY)} d`;
}

function show(cell, live) {
  const state = cell.querySelector(".state"), word = words.states[live.state] ?? live.state;
  if (state.dataset.state !== live.state) {
    state.dataset.state = live.state;
    state.querySelector("use").setAttribute("href", `/static/states.svg#${live.state}`);
    state.querySelector(".word").textContent = word;
    cell.classList.remove("changed");
    void cell.offsetWidth; // begins the animation anew
    cell.classList.add("changed");
  }
  cell.querySelector(".power").textContent = live.power_w === null ? "" : `${live.power_w.toFixed(1)} W`;
  cell.querySelector(".doubt").textContent = live.doubt === null ? "" : words.doubts[live.doubt] ?? live.doubt;
  cell.dataset.age = live.age_s === null ? "" : String(Math.round(live.age_s * 1000));
  cell.dataset.clock = live.clock ?? "";
  cell.since = performance.now();
  age(cell);
}

function age(cell) {
  if (cell.dataset.age === "") return;
  // Simulated time does not pass with ours.
  const passed = cell.dataset.clock === "SIMULATED" ? 0 : performance.now() - (cell.since ?? began);
  cell.querySelector(".age").textContent = words.ago.replace("{age}", ageText(Number(cell.dataset.age) + passed));
}

function say(state) {
  link.hidden = false;
  if (link.dataset.link === state) return;
  link.dataset.link = state;
  link.textContent = words[state];
}

let source;
function connect() {
  source = new EventSource("/api/v1/live");
  source.addEventListener("open", () => say("open"));
  source.addEventListener("board", (event) => {
    const shown = new Map(cells().map((cell) => [cell.dataset.live, cell]));
    for (const one of JSON.parse(event.data).instruments) {
      const cell = shown.get(one.id);
      if (cell) show(cell, one.live);
    }
  });
  source.addEventListener("error", () => {
    say("lost");
    // A browser tries again by itself after a cut, but not after an answer that is none.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 10_000);
  });
}

connect();
setInterval(() => cells().forEach(age), 1000);
addEventListener("pagehide", () => source.close());
addEventListener("pageshow", (event) => event.persisted && connect());
