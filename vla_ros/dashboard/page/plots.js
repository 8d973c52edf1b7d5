// Proposed and sent motion of one joint over the last seconds.
import { put } from "./panels.js";

const PROPOSED = "#40c4ff";
const GRANTED = "#f0f3f6";
const LIMIT = "#f85149";
const GRID = "#21262d";
const WORDS = "#8b949e";
const MOST_ROWS = 9000; // 300 s at 30 Hz
const LEAST_SPAN = { position: 0.04, velocity: 0.1 };

export class Plots {
  /** tabs: where joints are chosen. position, velocity: canvases. */
  constructor(tabs, position, velocity) {
    this.tabs = tabs;
    this.canvases = { position, velocity };
    this.rows = [];
    this.joints = [];
    this.chosen = 0;
  }

  start(joints, rows, seconds) {
    this.rows = rows;
    this.seconds = seconds;
    this.joints = joints;
    this.tabs.replaceChildren(...joints.map((joint, i) => {
      const tab = document.createElement("button");
      tab.textContent = joint.name.replace(/^.*?joint/, "").replaceAll("_", " ").trim() || joint.name.replace(/_?joint/, "");
      tab.title = joint.name;
      tab.setAttribute("role", "tab");
      tab.addEventListener("click", () => this.choose(i));
      return tab;
    }));
    this.choose(Math.min(this.chosen, joints.length - 1));
  }

  choose(joint) {
    this.chosen = joint;
    [...this.tabs.children].forEach((tab, i) => tab.setAttribute("aria-selected", i === joint));
    this.draw();
  }

  add(row, joints) {
    this.joints = joints;
    this.rows.push(row);
    while (this.rows.length > MOST_ROWS || row[0] - this.rows[0][0] > this.seconds) this.rows.shift();
    this.draw();
  }

  draw() {
    const joint = this.joints[this.chosen];
    if (!joint || !this.rows.length) return;
    this.panel("position", 0, [joint.lower, joint.upper], joint.unit);
    this.panel("velocity", 2, joint.speed === null ? [] : [-joint.speed, joint.speed], `${joint.unit}/s`);
  }

  /** first: which pair of series, 0 or 2. */
  panel(name, first, limits, unit) {
    const canvas = this.canvases[name];
    const column = series => 1 + series * this.joints.length + this.chosen;
    const [proposed, granted] = [column(first), column(first + 1)];
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const seen = this.rows.flatMap(row => [row[proposed], row[granted]]).filter(value => value !== null);
    let low = seen.length ? Math.min(...seen) : 0;
    let high = seen.length ? Math.max(...seen) : 0;
    const room = Math.max(0.12 * (high - low), (LEAST_SPAN[name] - (high - low)) / 2);
    low -= room;
    high += room;
    const left = 44, right = 6, top = 6, bottom = 16;
    const now = this.rows.at(-1)[0];
    const x = time => left + (width - left - right) * (1 - (now - time) / this.seconds);
    const y = value => top + ((height - top - bottom) * (high - value)) / (high - low);
    this.grid(pen, { low, high, x, y, now, width, left, right, height, bottom });
    for (const limit of limits) if (limit > low && limit < high) this.level(pen, y(limit), left, width - right);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width - left - right, height);
    pen.clip();
    this.line(pen, proposed, x, y, PROPOSED, 2.4);
    this.line(pen, granted, x, y, GRANTED, 1.3);
    pen.restore();
    const value = this.rows.at(-1)[granted];
    put(document.getElementById(`${name}-now`), value === null ? unit : `${value.toFixed(3)} ${unit}`);
  }

  grid(pen, { low, high, x, y, now, width, left, right, height, bottom }) {
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = WORDS;
    pen.strokeStyle = GRID;
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    pen.beginPath();
    for (let value = Math.ceil(low / step) * step; value < high; value += step) {
      pen.moveTo(left, y(value));
      pen.lineTo(width - right, y(value));
      pen.fillText((Math.abs(value) < step / 10 ? 0 : value).toFixed(digits), left - 6, y(value));
    }
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    const every = [1, 5, 15, 60].find(size => this.seconds / size <= 6);
    for (let ago = 0; ago <= this.seconds; ago += every) {
      pen.moveTo(x(now - ago), 0);
      pen.lineTo(x(now - ago), height - bottom);
      if (ago && ago < this.seconds) pen.fillText(`−${ago} s`, x(now - ago), height - 3);
    }
    pen.stroke();
  }

  level(pen, y, from, to) {
    pen.beginPath();
    pen.setLineDash([5, 4]);
    pen.moveTo(from, y);
    pen.lineTo(to, y);
    pen.strokeStyle = LIMIT;
    pen.stroke();
    pen.setLineDash([]);
  }

  line(pen, column, x, y, colour, thickness) {
    pen.beginPath();
    let down = false;
    for (const row of this.rows) {
      const value = row[column];
      if (value !== null) pen[down ? "lineTo" : "moveTo"](x(row[0]), y(value));
      down = value !== null;
    }
    pen.lineWidth = thickness;
    pen.lineJoin = "round";
    pen.strokeStyle = colour;
    pen.stroke();
  }
}
