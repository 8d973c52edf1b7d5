// Camera images with the plan's waypoints and the tool's path drawn into them.

import { durationText } from "./panels.js";

const OLD_S = 1;
const PATH_COLOUR = "#40c4ff";
const WAYPOINT_COLOUR = "#ffc53d";

/** Draw the newest set of images; blobs: one per camera, or null where the overlay alone has changed. */
export async function showCameras(parent, entries, blobs) {
  for (const [i, entry] of entries.entries()) {
    const figure = parent.children[i] ?? parent.appendChild(document.createElement("figure"));
    if (!figure.firstChild) {
      figure.append(document.createElement("canvas"), document.createElement("figcaption"));
    }
    const [canvas, caption] = figure.children;
    const faults = [entry.health === "ok" ? "" : entry.health, entry.age_s > OLD_S ? `${durationText(entry.age_s)} old` : ""];
    const text = faults.filter(Boolean).join(", ");
    caption.textContent = text ? `${entry.name}: ${text}` : entry.name;
    caption.className = text ? "alarm" : "";
    if (!blobs) continue;
    try {
      draw(canvas, await createImageBitmap(blobs[i]), entry);
    } catch {
      caption.className = "alarm";
    }
  }
  while (parent.children.length > entries.length) parent.lastChild.remove();
}

function draw(canvas, image, { waypoints = [], path = [] }) {
  const size = Math.round(canvas.clientWidth * devicePixelRatio) || image.width;
  if (canvas.width !== size) canvas.width = size;
  const height = Math.round((size * image.height) / image.width);
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, size, height);
  image.close();
  const unit = size / 220;
  drawLine(context, path, size, height, PATH_COLOUR, 2 * unit, []);
  drawLine(context, waypoints, size, height, WAYPOINT_COLOUR, 1.2 * unit, [4 * unit, 3 * unit]);
  waypoints.forEach((point, i) => point && drawWaypoint(context, point[0] * size, point[1] * height, (i ? 2.2 : 6) * unit, !i));
}

function drawLine(context, points, width, height, colour, thickness, dashes) {
  context.beginPath();
  let drawing = false;
  for (const point of points) {
    if (point) context[drawing ? "lineTo" : "moveTo"](point[0] * width, point[1] * height);
    drawing = Boolean(point);
  }
  context.setLineDash(dashes);
  context.lineWidth = thickness;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
}

/** Draw a waypoint; the next one, the target, is a ring with a cross. */
function drawWaypoint(context, x, y, radius, target) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  if (!target) {
    context.fillStyle = WAYPOINT_COLOUR;
    context.fill();
    return;
  }
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + 0.5 * radius * dx, y + 0.5 * radius * dy);
    context.lineTo(x + 1.6 * radius * dx, y + 1.6 * radius * dy);
  }
  context.lineWidth = radius / 3;
  context.strokeStyle = WAYPOINT_COLOUR;
  context.stroke();
}
