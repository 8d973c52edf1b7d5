// The stop alone: nothing here draws, so that it is quick where the whole dashboard is slow.
import { ask, follow } from "./talk.js";

const state = document.getElementById("state");
const said = document.getElementById("said");

async function stop(event) {
  event.preventDefault();
  said.textContent = "asked to stop …";
  said.textContent = (await ask("estop")).message;
}

const button = document.getElementById("stop"); // read-only has none
if (button) {
  button.addEventListener("pointerdown", stop);
  button.form.addEventListener("submit", event => event.preventDefault());
  button.addEventListener("click", event => event.detail === 0 && stop(event));
  addEventListener("keydown", event => !event.repeat && [" ", "Escape", "Enter"].includes(event.key) && stop(event));
}

follow({
  images: false,
  pause_ms: 200,
  show: ({ filter }) => {
    state.textContent = filter ? `${filter.state} ${filter.reason}` : "the safety filter is silent";
  },
  blind: why => {
    state.textContent = why;
  },
});
