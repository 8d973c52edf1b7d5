// The page with the stop alone: it draws nothing, so that it is quick where the whole dashboard is slow.
import { pollDocuments, sendAction } from "./server_api.js";

const state = document.getElementById("state");
const result = document.getElementById("result");

async function stop(event) {
  event.preventDefault();
  result.textContent = "asked to stop …";
  result.textContent = (await sendAction("estop")).message;
}

const button = document.getElementById("stop"); // a read-only page has none
if (button) {
  button.addEventListener("pointerdown", stop);
  button.form.addEventListener("submit", event => event.preventDefault());
  button.addEventListener("click", event => event.detail === 0 && stop(event));
  addEventListener("keydown", event => !event.repeat && [" ", "Escape", "Enter"].includes(event.key) && stop(event));
}

pollDocuments({
  images: false,
  pauseMs: 200,
  onDocument: ({ filter }) => {
    state.textContent = filter ? `${filter.state} ${filter.reason}` : "the safety filter is silent";
  },
  onDisconnected: reason => {
    state.textContent = reason;
  },
});
