// Plots of proposed and granted motion of one joint over the last seconds.
import { setText } from "./panels.js";

const PROPOSED_COLOUR = "#40c4ff";
const GRANTED_COLOUR = "#f0f3f6";
const LIMIT_COLOUR = "#f85149";
const GRID_COLOUR = "#21262d";
const LABEL_COLOUR = "#8b949e";
const MAX_ROWS = 9000; // 300 s at 30 Hz
const MIN_SPAN = { position: 0.04, velocity: 0.1 };

export class Plots {
  /** tabs: element for one button per joint. position, velocity: canvases. */
  constructor(tabs, position, velocity) {
    this.tabs = tabs;
    this.canvases = { position, velocity };
    this.rows = [];
    this.joints = [];
    this.selected = 0;
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
      tab.addEventListener("click", () => this.select(i));
      return tab;
    }));
    this.select(Math.min(this.selected, joints.length - 1));
  }

  select(joint) {
    this.selected = joint;
    [...this.tabs.children].forEach((tab, i) => tab.setAttribute("aria-selected", i === joint));
    this.draw();
  }

  add(row, joints) {
    this.joints = joints;
    this.rows.push(row);
    while (this.rows.length > MAX_ROWS || row[0] - this.rows[0][0] > this.seconds) this.rows.shift();
    this.draw();
  }

  draw() {
    const joint = this.joints[this.selected];
    if (!joint || !this.rows.length) return;
    this.drawPlot("position", 0, [joint.lower, joint.upper], joint.unit);
    const limit = joint.velocity_limit;
    this.drawPlot("velocity", 2, limit === null ? [] : [-limit, limit], `${joint.unit}/s`);
  }

  /** Draw one plot. first: its first series, 0 (positions) or 2 (velocities). */
  drawPlot(name, first, limits, unit) {
    const canvas = this.canvases[name];
    const column = series => 1 + series * this.joints.length + this.selected;
    const [proposed, granted] = [column(first), column(first + 1)];
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const values = this.rows.flatMap(row => [row[proposed], row[granted]]).filter(value => value !== null);
    let low = values.length ? Math.min(...values) : 0;
    let high = values.length ? Math.max(...values) : 0;
    const padding = Math.max(0.12 * (high - low), (MIN_SPAN[name] - (high - low)) / 2);
    low -= padding;
    high += padding;
    const left = 44, right = 6, top = 6, bottom = 16;
    const now = this.rows.at(-1)[0];
    const x = time => left + (width - left - right) * (1 - (now - time) / this.seconds);
    const y = value => top + ((height - top - bottom) * (high - value)) / (high - low);
    this.drawGrid(context, { low, high, x, y, now, width, left, right, height, bottom });
    for (const limit of limits) if (limit > low && limit < high) this.drawLimit(context, y(limit), left, width - right);
    context.save();
    context.beginPath();
    context.rect(left, 0, width - left - right, height);
    context.clip();
    this.drawSeries(context, proposed, x, y, PROPOSED_COLOUR, 2.4);
    this.drawSeries(context, granted, x, y, GRANTED_COLOUR, 1.3);
    context.restore();
    const value = this.rows.at(-1)[granted];
    setText(document.getElementById(`${name}-now`), value === null ? unit : `${value.toFixed(3)} ${unit}`);
  }

  drawGrid(context, { low, high, x, y, now, width, left, right, height, bottom }) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = LABEL_COLOUR;
    context.strokeStyle = GRID_COLOUR;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const target = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(target));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= target);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    context.beginPath();
    for (let value = Math.ceil(low / step) * step; value < high; value += step) {
      context.moveTo(left, y(value));
      context.lineTo(width - right, y(value));
      context.fillText((Math.abs(value) < step / 10 ? 0 : value).toFixed(digits), left - 6, y(value));
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const interval = [1, 5, 15, 60].find(size => this.seconds / size <= 6);
    for (let ago = 0; ago <= this.seconds; ago += interval) {
      context.moveTo(x(now - ago), 0);
      context.lineTo(x(now - ago), height - bottom);
      if (ago && ago < this.seconds) context.fillText(`−${ago} s`, x(now - ago), height - 3);
    }
    context.stroke();
  }

  drawLimit(context, y, from, to) {
    context.beginPath();
    context.setLineDash([5, 4]);
    context.moveTo(from, y);
    context.lineTo(to, y);
    context.strokeStyle = LIMIT_COLOUR;
    context.stroke();
    context.setLineDash([]);
  }

  drawSeries(context, column, x, y, colour, thickness) {
    context.beginPath();
    let drawing = false;
    for (const row of this.rows) {
      const value = row[column];
      if (value !== null) context[drawing ? "lineTo" : "moveTo"](x(row[0]), y(value));
      drawing = value !== null;
    }
    context.lineWidth = thickness;
    context.lineJoin = "round";
    context.strokeStyle = colour;
    context.stroke();
  }
}
