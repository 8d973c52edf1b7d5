// The dashboard: who shows what, and what a press does.
import { cameras } from "./cameras.js";
import { events, limits, nodes, plan, put, question, rules, state } from "./panels.js";
import { Plots } from "./plots.js";
import { ask, follow } from "./talk.js";

const find = id => document.getElementById(id);
const said = find("said");
const plots = new Plots(find("joints"), find("position"), find("velocity"));
let run = "";
let starting = false;
let openly = false;
let fade = 0;

function tell({ done, message }) {
  put(said, message);
  said.className = done ? "done" : "failed";
  clearTimeout(fade);
  fade = setTimeout(() => (said.className = ""), done ? 4000 : 10000);
}

async function act(name, words) {
  tell(await ask(name, words));
}

// A press, not a release, stops; so does a key, wherever the focus is, but for Space while somebody types.
const stop = event => {
  event.preventDefault();
  find("stop").classList.add("pressed");
  setTimeout(() => find("stop").classList.remove("pressed"), 300);
  act("estop");
};
const key = event => {
  const typing = event.target.closest?.("input");
  if (!event.repeat && (event.key === "Escape" || (event.key === " " && !typing))) stop(event);
};
addEventListener("keydown", key);
find("stop").addEventListener("pointerdown", stop);
find("stop").addEventListener("click", event => event.detail === 0 && stop(event));
for (const button of document.querySelectorAll("button[data-act]")) {
  button.addEventListener("click", () => act(button.dataset.act));
}

const form = document.forms[0];
const words = form.elements.words;
let asked = [];
let back = -1;

function say(text) {
  back = -1;
  words.value = "";
  act("say", text);
}

form.addEventListener("submit", event => {
  event.preventDefault();
  if (words.value.trim()) say(words.value);
});
find("hold").addEventListener("click", () => say(""));
words.addEventListener("keydown", event => {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  event.preventDefault();
  back = Math.max(-1, Math.min(asked.length - 1, back + (event.key === "ArrowUp" ? 1 : -1)));
  words.value = back < 0 ? "" : asked[back];
});

/** Fill a list with sentences that say themselves when pressed. */
function sentences(list, texts, element) {
  if (list.dataset.shown === texts.join("\n")) return;
  list.dataset.shown = texts.join("\n");
  list.replaceChildren(
    ...texts.map(text => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => say(text));
      if (!element) return button;
      const item = document.createElement(element);
      item.append(button);
      return item;
    }),
  );
}

// The 3D view needs WebGL, which is slow without a graphics processor. Under another name of this machine the browser gives
// it a process of its own, so that it delays neither the page nor the stop; and it can be left out.
const scene = find("scene");
let flat = new URLSearchParams(location.search).has("flat") || localStorage.getItem("flat") === "1";

function draw3d(open) {
  document.body.classList.toggle("flat", flat);
  put(find("flat"), flat ? "3D on" : "3D off");
  const twin = open && { "127.0.0.1": "localhost", localhost: "127.0.0.1" }[location.hostname];
  if (flat) scene.removeAttribute("src");
  else scene.src = twin ? `http://${twin}:${location.port}/scene/` : "scene/";
}

find("flat").addEventListener("click", () => {
  flat = !flat;
  localStorage.setItem("flat", flat ? "1" : "0");
  draw3d(openly);
});

// Keys belong to the page, also after the 3D view was dragged: Esc stops.
addEventListener("blur", () => setTimeout(() => document.activeElement === scene && (scene.blur(), focus())));

/** The dashboard has been started, perhaps again. */
async function start(content) {
  starting = true;
  const rows = await fetch("/history", { signal: AbortSignal.timeout(3000) })
    .then(answer => (answer.ok ? answer.json() : null))
    .catch(() => null);
  starting = false;
  if (!rows) return; // the next document asks again
  run = content.run;
  openly = content.open;
  draw3d(openly);
  plots.start(content.joints, rows, content.history_s);
}

function show(content, blobs) {
  find("blind").hidden = true;
  if (content.run !== run && !starting) start(content);
  document.body.classList.toggle("readonly", content.read_only);
  state(content);
  plan(content);
  question(content);
  limits(content.joints);
  rules(content);
  nodes(content.nodes);
  events(content.events);
  if (content.run === run) plots.add(content.row, content.joints);
  cameras(find("cameras"), content.cameras, blobs);
  asked = content.instructions;
  sentences(find("examples"), content.examples);
  sentences(find("instructions"), content.instructions.slice(0, 8), "li");
}

follow({
  show,
  blind: why => {
    put(find("blind"), why);
    find("blind").hidden = false;
  },
});
