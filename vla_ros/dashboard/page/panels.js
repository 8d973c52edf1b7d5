// Words and tables. Every text goes in as text, never as HTML.

const find = id => document.getElementById(id);

/** Set a text when it is another. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const number = (value, digits) => (value === null || value === undefined ? "–" : value.toFixed(digits));

/** A duration in words. */
export function age(seconds) {
  if (seconds === null) return "–";
  return seconds < 1 ? `${(1000 * seconds).toFixed(0)} ms` : seconds < 60 ? `${seconds.toFixed(1)} s` : "> 1 min";
}

/** Keep one row for each key in `parent`, in order; `make` builds a row, `fill` writes into it. */
function rows(parent, entries, make, fill) {
  while (parent.children.length > entries.length) parent.lastChild.remove();
  entries.forEach((entry, i) => {
    if (i >= parent.children.length) parent.append(make());
    fill(parent.children[i], entry);
  });
}

function built(tag, inside = [], name = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...inside);
  return element;
}

const LEVELS = {
  DISARMED: "off", HOLDING: "idle", TRACKING: "good", LIMITING: "warning", STOPPING: "warning",
  DISARMING: "warning", STALLED: "warning",
  PROTECTIVE_STOP: "alarm", ESTOP: "alarm",
};

export function state({ filter }) {
  const badge = find("state");
  put(badge, filter ? filter.state.replace("_", " ") : "FILTER SILENT");
  badge.dataset.level = filter ? LEVELS[filter.state] : "alarm";
  put(find("rule"), filter?.rule.replaceAll("_", " ") ?? "");
  put(find("reason"), filter ? filter.reason : "nothing is heard of the safety filter");
  const latched = filter && LEVELS[filter.state] === "alarm";
  for (const [name, on] of [["arm", filter?.state === "DISARMED"], ["reset", latched]]) {
    document.querySelector(`[data-act=${name}]`).classList.toggle("next", Boolean(on));
  }
  const ages = [["joints", "joint_state_age_s"], ["command", "command_age_s"], ["camera to command", "frame_age_s"]];
  rows(find("ages"), ages.flatMap(([words, key]) => [words, age(filter?.[key] ?? null)]),
    () => built(find("ages").children.length % 2 ? "dd" : "dt"), put);
  put(find("counts"), filter ? `${filter.accepted} setpoints passed · ${filter.rejected} refused` : "");
}

function share(id, value) {
  const meter = find(id);
  meter.value = value ?? 0;
  meter.classList.toggle("unknown", value === null);
  put(meter.nextElementSibling, value === null ? "not estimated" : `${(100 * value).toFixed(0)} %`);
}

export function plan({ plan: now }) {
  const pill = find("plan-state");
  const silent = now?.silent;
  put(pill, silent ? "SILENT" : now?.state ?? "");
  pill.dataset.level = silent ? "alarm"
    : { ACTIVE: "good", DONE: "good", FAILED: "alarm", REFUSED: "alarm" }[now?.state] ?? "off";
  const old = now?.age_s ?? null;
  put(find("plan-age"), now ? `${now.policy} · ${old === null ? "no frames" : `${age(old)} old`}` : "");
  find("plan-age").classList.toggle("late", now?.state === "ACTIVE" && old > now.valid_for_s);
  put(find("subtask"), silent ? "the planner is silent" : now?.subtask || now?.instruction || "no instruction yet");
  put(find("reasoning"), now?.reasoning ?? "");
  share("progress", now?.progress ?? null);
  share("confidence", now?.confidence ?? null);
}

export function question({ question: text }) {
  put(find("question"), text && `The planner asks: ${text} A new instruction answers.`);
  find("question").hidden = !text;
}

// A gripper lives at its limits.
const near = (margin, joint) => {
  if (joint.unit === "m") return "";
  const range = joint.upper - joint.lower;
  return margin === null || !isFinite(range) ? "" : margin < 0.02 * range ? "alarm" : margin < 0.08 * range ? "warning" : "";
};

export function limits(joints) {
  rows(find("limits").querySelector("tbody"), joints,
    () => built("tr", [built("th"), built("td", [built("div", [built("i")], "track")]), built("td"),
      built("td", [built("div", [built("i")], "bar")])]),
    (row, joint) => {
      const [name, place, margin, speed] = row.children;
      put(name, joint.name.replaceAll("_", " "));
      const range = joint.upper - joint.lower;
      place.querySelector("i").style.left = `${Math.max(0, Math.min(100, (100 * (joint.q - joint.lower)) / range))}%`;
      const bounded = joint.q !== null && joint.lower !== null && joint.upper !== null;
      const left = joint.margin ?? (bounded ? Math.min(joint.q - joint.lower, joint.upper - joint.q) : null);
      put(margin, `${number(left, joint.unit === "m" ? 3 : 2)} ${joint.unit}`);
      row.className = near(left, joint);
      const used = joint.speed_margin === null ? 0 : Math.max(0, 1 - joint.speed_margin / joint.speed);
      const bar = speed.querySelector("i");
      bar.style.width = `${Math.min(100, 100 * used)}%`;
      bar.className = used > 0.98 ? "alarm" : used > 0.8 ? "warning" : "";
      speed.title = `${(100 * used).toFixed(0)} % of the speed limit`;
    });
}

export function rules({ rules: entries }) {
  const most = Math.max(1, ...entries.map(entry => entry[1]));
  const list = find("rules").querySelector("div");
  if (!entries.length) return put(list, "none yet: the filter has passed everything unchanged");
  if (!list.children.length) list.textContent = "";
  rows(list, entries.slice(0, 5),
    () => built("p", [built("span"), built("div", [built("i")], "bar"), built("b")]),
    (row, [rule, times, seconds, active]) => {
      put(row.children[0], rule.replaceAll("_", " "));
      row.querySelector("i").style.width = `${(100 * times) / most}%`;
      put(row.children[2], `${times}× · ${seconds.toFixed(1)} s`);
      row.className = active ? "active" : "";
    });
}

export function nodes(entries) {
  rows(find("nodes").querySelector("tbody"), entries,
    () => built("tr", [built("th", [built("i"), built("span"), built("small")]), built("td"), built("td"), built("td")]),
    (row, node) => {
      const [name, rate, age, misses] = row.children;
      row.dataset.level = ["good", "warning", "alarm", "alarm"][Math.min(3, node.level)];
      put(name.children[1], node.name.replaceAll("_", " "));
      put(name.children[2], node.level ? node.message : "");
      row.title = `${node.name}: ${node.message}`;
      put(rate, number(node.rate_hz, node.rate_hz > 99 ? 0 : 1));
      put(age, number(node.age_ms, node.age_ms > 9.95 ? 0 : 1));
      age.title = node.age_of;
      put(misses, number(node.misses, 0));
    });
}

export function events(entries) {
  rows(find("events").querySelector("ol"), entries,
    () => built("li", [built("time"), built("span"), built("b")]),
    (row, [, time_s, level, text, times]) => {
      row.dataset.level = level;
      put(row.children[0], new Date(1000 * time_s).toLocaleTimeString("en-GB"));
      put(row.children[1], text);
      put(row.children[2], times > 1 ? `×${times}` : "");
    });
}
