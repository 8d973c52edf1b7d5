// Texts and tables. Every text is set as text, never as HTML.

const find = id => document.getElementById(id);

/** Set a text if it differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const numberText = (value, digits) => (value === null || value === undefined ? "–" : value.toFixed(digits));

/** Return a duration in words. */
export function durationText(seconds) {
  if (seconds === null) return "–";
  return seconds < 1 ? `${(1000 * seconds).toFixed(0)} ms` : seconds < 60 ? `${seconds.toFixed(1)} s` : "> 1 min";
}

/** Keep one row per entry in `parent`, in order; `make` makes a row, `fill` writes an entry into it. */
function fillRows(parent, entries, make, fill) {
  while (parent.children.length > entries.length) parent.lastChild.remove();
  entries.forEach((entry, i) => {
    if (i >= parent.children.length) parent.append(make());
    fill(parent.children[i], entry);
  });
}

function create(tag, children = [], className = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

const STATE_LEVELS = {
  DISARMED: "off", HOLDING: "idle", TRACKING: "good", LIMITING: "warning", STOPPING: "warning",
  DISARMING: "warning", STALLED: "warning", ENTERING: "idle",
  PROTECTIVE_STOP: "alarm", ESTOP: "alarm",
};

export function showFilter(filter) {
  const badge = find("state");
  setText(badge, filter ? filter.state.replace("_", " ") : "FILTER SILENT");
  const expected = filter?.expected; // the end of a task: the arm comes to rest, and nothing is wrong
  badge.dataset.level = expected ? "idle" : filter ? STATE_LEVELS[filter.state] : "alarm";
  setText(find("rule"), expected ? "" : filter?.rule.replaceAll("_", " ") ?? "");
  setText(find("reason"), expected ? "the task has ended; coming to rest"
    : filter ? filter.reason : "nothing is heard of the safety filter");
  const latched = filter && STATE_LEVELS[filter.state] === "alarm";
  for (const [name, on] of [["arm", filter?.state === "DISARMED"], ["reset", latched]]) {
    document.querySelector(`[data-action=${name}]`).classList.toggle("next", Boolean(on));
  }
  const ages = [["joints", "joint_state_age_s"], ["command", "command_age_s"], ["camera to command", "frame_age_s"]];
  fillRows(find("ages"), ages.flatMap(([label, key]) => [label, durationText(filter?.[key] ?? null)]),
    () => create(find("ages").children.length % 2 ? "dd" : "dt"), setText);
  setText(find("counts"), filter ? `${filter.accepted} setpoints passed · ${filter.rejected} refused` : "");
}

function showFraction(id, value) {
  const meter = find(id);
  meter.value = value ?? 0;
  meter.classList.toggle("unknown", value === null);
  setText(meter.nextElementSibling, value === null ? "not estimated" : `${(100 * value).toFixed(0)} %`);
}

export function showPlan(plan) {
  const pill = find("plan-state");
  const silent = plan?.silent;
  setText(pill, silent ? "SILENT" : plan?.state ?? "");
  pill.dataset.level = silent ? "alarm"
    : { ACTIVE: "good", DONE: "good", FAILED: "alarm", REFUSED: "alarm" }[plan?.state] ?? "off";
  const age = plan?.age_s ?? null;
  setText(find("plan-age"), plan ? `${plan.policy} · ${age === null ? "no frames" : `${durationText(age)} old`}` : "");
  find("plan-age").classList.toggle("late", plan?.state === "ACTIVE" && age > plan.valid_for_s);
  setText(find("subtask"), silent ? "the planner is silent" : plan?.subtask || plan?.instruction || "no instruction yet");
  setText(find("reasoning"), plan?.reasoning ?? "");
  find("continue").hidden = !plan?.stopped;
  showFraction("progress", plan?.progress ?? null);
  showFraction("confidence", plan?.confidence ?? null);
}

export function showQuestion(text) {
  setText(find("question"), text && `The planner asks: ${text} A new instruction answers.`);
  find("question").hidden = !text;
}

/** Level of a margin to a position limit; none for a gripper, which works at its limits. */
const marginLevel = (margin, joint) => {
  if (joint.unit === "m") return "";
  const range = joint.upper - joint.lower;
  return margin === null || !isFinite(range) ? "" : margin < 0.02 * range ? "alarm" : margin < 0.08 * range ? "warning" : "";
};

export function showLimits(joints) {
  fillRows(find("limits").querySelector("tbody"), joints,
    () => create("tr", [create("th"), create("td", [create("div", [create("i")], "track")]), create("td"),
      create("td", [create("div", [create("i")], "bar")])]),
    (row, joint) => {
      const [name, positionCell, marginCell, velocityCell] = row.children;
      setText(name, joint.name.replaceAll("_", " "));
      const range = joint.upper - joint.lower;
      positionCell.querySelector("i").style.left = `${Math.max(0, Math.min(100, (100 * (joint.q - joint.lower)) / range))}%`;
      const bounded = joint.q !== null && joint.lower !== null && joint.upper !== null;
      const margin = joint.margin ?? (bounded ? Math.min(joint.q - joint.lower, joint.upper - joint.q) : null);
      setText(marginCell, `${numberText(margin, joint.unit === "m" ? 3 : 2)} ${joint.unit}`);
      row.className = marginLevel(margin, joint);
      const used = joint.velocity_margin === null ? 0 : Math.max(0, 1 - joint.velocity_margin / joint.velocity_limit);
      const bar = velocityCell.querySelector("i");
      bar.style.width = `${Math.min(100, 100 * used)}%`;
      bar.className = used > 0.98 ? "alarm" : used > 0.8 ? "warning" : "";
      velocityCell.title = `${(100 * used).toFixed(0)} % of the speed limit`;
    });
}

export function showRules(entries) {
  const maximum = Math.max(1, ...entries.map(entry => entry[1]));
  const list = find("rules").querySelector("div");
  if (!entries.length) return setText(list, "none yet: the filter has passed everything unchanged");
  if (!list.children.length) list.textContent = "";
  fillRows(list, entries.slice(0, 5),
    () => create("p", [create("span"), create("div", [create("i")], "bar"), create("b")]),
    (row, [rule, count, seconds, active]) => {
      setText(row.children[0], rule.replaceAll("_", " "));
      row.querySelector("i").style.width = `${(100 * count) / maximum}%`;
      setText(row.children[2], `${count}× · ${seconds.toFixed(1)} s`);
      row.className = active ? "active" : "";
    });
}

export function showNodes(entries) {
  fillRows(find("nodes").querySelector("tbody"), entries,
    () => create("tr", [create("th", [create("i"), create("span"), create("small")]), create("td"), create("td"), create("td")]),
    (row, node) => {
      const [name, rate, age, misses] = row.children;
      row.dataset.level = ["good", "warning", "alarm", "alarm"][Math.min(3, node.level)];
      setText(name.children[1], node.name.replaceAll("_", " "));
      setText(name.children[2], node.level ? node.message : "");
      row.title = `${node.name}: ${node.message}`;
      setText(rate, numberText(node.rate_hz, node.rate_hz > 99 ? 0 : 1));
      setText(age, numberText(node.age_ms, node.age_ms > 9.95 ? 0 : 1));
      age.title = node.age_of;
      setText(misses, numberText(node.misses, 0));
    });
}

export function showEvents(entries) {
  fillRows(find("events").querySelector("ol"), entries,
    () => create("li", [create("time"), create("span"), create("b")]),
    (row, [, time_s, level, text, count]) => {
      row.dataset.level = level;
      setText(row.children[0], new Date(1000 * time_s).toLocaleTimeString("en-GB"));
      setText(row.children[1], text);
      setText(row.children[2], count > 1 ? `×${count}` : "");
    });
}
