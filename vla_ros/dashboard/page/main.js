// The dashboard: connects documents with panels, and buttons and keys with actions.
import { showCameras } from "./cameras.js";
import { setText, showEvents, showFilter, showLimits, showNodes, showPlan, showQuestion, showRules } from "./panels.js";
import { Plots } from "./plots.js";
import { pollDocuments, sendAction } from "./server_api.js";

const find = id => document.getElementById(id);
const result = find("result");
const plots = new Plots(find("joints"), find("position"), find("velocity"));
let session = "";
let starting = false;
let withoutToken = false;
let resultTimer = 0;

function showResult({ done, message }) {
  setText(result, message);
  result.className = done ? "done" : "failed";
  clearTimeout(resultTimer);
  resultTimer = setTimeout(() => (result.className = ""), done ? 4000 : 10000);
}

async function act(name, instruction) {
  const answer = await sendAction(name, instruction);
  showResult(answer);
  return answer.done;
}

// The stop acts on the press, not on the release, and on keys wherever the focus is, except Space in a text field.
function stop(event) {
  event.preventDefault();
  find("stop").classList.add("pressed");
  setTimeout(() => find("stop").classList.remove("pressed"), 300);
  act("estop");
}

addEventListener("keydown", event => {
  const typing = event.target.closest?.("input");
  if (!event.repeat && (event.key === "Escape" || (event.key === " " && !typing))) stop(event);
});
find("stop").addEventListener("pointerdown", stop);
find("stop").addEventListener("click", event => event.detail === 0 && stop(event));
for (const button of document.querySelectorAll("button[data-action]")) {
  button.addEventListener("click", () => act(button.dataset.action));
}

const form = document.forms[0];
const input = form.elements.instruction;
let instructions = [];
let recalled = -1; // index in instructions of the one in the text field; -1: none

/** Say it. What was typed stays in the field until it has been taken: a page whose dashboard is gone must not lose it. */
async function instruct(text, typed = false) {
  recalled = -1;
  const before = input.value;
  if ((await act("say", text)) && typed && input.value === before) input.value = "";
  keepTyped();
}

function keepTyped() {
  sessionStorage.setItem("typed", input.value);
}

// After a reload, too: that of a page which must show its token again, for example.
input.value ||= sessionStorage.getItem("typed") ?? "";
input.addEventListener("input", keepTyped);

form.addEventListener("submit", event => {
  event.preventDefault();
  if (input.value.trim()) instruct(input.value, true);
});
find("hold").addEventListener("click", () => instruct(""));
input.addEventListener("keydown", event => {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  event.preventDefault();
  recalled = Math.max(-1, Math.min(instructions.length - 1, recalled + (event.key === "ArrowUp" ? 1 : -1)));
  input.value = recalled < 0 ? "" : instructions[recalled];
  keepTyped();
});

/** Fill a list with buttons that send their text as instruction. tag: of the element around each button; none: no element. */
function showInstructions(list, texts, tag) {
  if (list.dataset.shown === texts.join("\n")) return;
  list.dataset.shown = texts.join("\n");
  list.replaceChildren(
    ...texts.map(text => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => instruct(text));
      if (!tag) return button;
      const item = document.createElement(tag);
      item.append(button);
      return item;
    }),
  );
}

// The 3D view needs WebGL, which is slow without a graphics processor. Under another name of this machine the browser gives
// it a process of its own, so that it delays neither the page nor the stop; and it can be switched off.
const scene = find("scene");
let sceneOff = new URLSearchParams(location.search).has("flat") || localStorage.getItem("flat") === "1";

function showScene() {
  document.body.classList.toggle("scene-off", sceneOff);
  setText(find("scene-toggle"), sceneOff ? "3D on" : "3D off");
  const otherName = withoutToken && { "127.0.0.1": "localhost", localhost: "127.0.0.1" }[location.hostname];
  if (sceneOff) scene.removeAttribute("src");
  else scene.src = otherName ? `http://${otherName}:${location.port}/scene/` : "scene/";
}

find("scene-toggle").addEventListener("click", () => {
  sceneOff = !sceneOff;
  localStorage.setItem("flat", sceneOff ? "1" : "0");
  showScene();
});

// Keys go to the page, also after the 3D view was dragged: Esc stops.
addEventListener("blur", () => setTimeout(() => document.activeElement === scene && (scene.blur(), focus())));

/** Start over: the dashboard has been started, perhaps again. */
async function start(content) {
  starting = true;
  const rows = await fetch("/history", { signal: AbortSignal.timeout(3000) })
    .then(response => (response.ok ? response.json() : null))
    .catch(() => null);
  starting = false;
  if (!rows) return; // the next document tries again
  session = content.session;
  withoutToken = content.without_token;
  showScene();
  plots.start(content.joints, rows, content.history_s);
}

/** Show whether what stands on the page is of now. Where it is not, the page is grey, and the badge says so. */
function showConnection(reason) {
  const dead = Boolean(reason);
  setText(find("disconnected"), reason);
  find("disconnected").hidden = !dead;
  document.body.classList.toggle("dead", dead);
  if (!dead) return;
  setText(find("state"), "NO CONNECTION");
  find("state").dataset.level = "off";
  setText(find("rule"), "");
  setText(find("reason"), "what is shown below is old");
}

function onDocument(content, blobs) {
  showConnection("");
  if (content.session !== session && !starting) start(content);
  document.body.classList.toggle("readonly", content.read_only);
  showFilter(content.filter);
  showPlan(content.plan);
  showQuestion(content.question);
  showLimits(content.joints);
  showRules(content.rules);
  showNodes(content.nodes);
  showEvents(content.events);
  if (content.session === session) plots.add(content.row, content.joints);
  showCameras(find("cameras"), content.cameras, blobs);
  instructions = content.instructions;
  showInstructions(find("examples"), content.examples);
  showInstructions(find("instructions"), content.instructions.slice(0, 8), "li");
}

pollDocuments({
  onDocument,
  onDisconnected: showConnection,
});
