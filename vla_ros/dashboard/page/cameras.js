// Camera images, and what is meant to happen drawn into them.

import { age } from "./panels.js";

const OLD_S = 1;
const PATH = "#40c4ff";
const WAYPOINT = "#ffc53d";

/** Draw the newest set of images; blobs: one per camera, or null where the overlay alone has changed. */
export async function cameras(place, entries, blobs) {
  for (const [i, entry] of entries.entries()) {
    const figure = place.children[i] ?? place.appendChild(document.createElement("figure"));
    if (!figure.firstChild) {
      figure.append(document.createElement("canvas"), document.createElement("figcaption"));
    }
    const [canvas, caption] = figure.children;
    const wrong = [entry.health === "ok" ? "" : entry.health, entry.age_s > OLD_S ? `${age(entry.age_s)} old` : ""];
    const words = wrong.filter(Boolean).join(", ");
    caption.textContent = words ? `${entry.name}: ${words}` : entry.name;
    caption.className = words ? "alarm" : "";
    if (!blobs) continue;
    try {
      paint(canvas, await createImageBitmap(blobs[i]), entry);
    } catch {
      caption.className = "alarm";
    }
  }
  while (place.children.length > entries.length) place.lastChild.remove();
}

function paint(canvas, image, { waypoints = [], path = [] }) {
  const size = Math.round(canvas.clientWidth * devicePixelRatio) || image.width;
  if (canvas.width !== size) canvas.width = size;
  const height = Math.round((size * image.height) / image.width);
  if (canvas.height !== height) canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0, size, height);
  image.close();
  const unit = size / 220;
  line(pen, path, size, height, PATH, 2 * unit, []);
  line(pen, waypoints, size, height, WAYPOINT, 1.2 * unit, [4 * unit, 3 * unit]);
  waypoints.forEach((point, i) => point && mark(pen, point[0] * size, point[1] * height, (i ? 2.2 : 6) * unit, !i));
}

function line(pen, points, width, height, colour, thickness, dashes) {
  pen.beginPath();
  let down = false;
  for (const point of points) {
    if (point) pen[down ? "lineTo" : "moveTo"](point[0] * width, point[1] * height);
    down = Boolean(point);
  }
  pen.setLineDash(dashes);
  pen.lineWidth = thickness;
  pen.strokeStyle = colour;
  pen.stroke();
  pen.setLineDash([]);
}

/** A waypoint; the next one, the target, is a ring with a cross. */
function mark(pen, x, y, radius, target) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  if (!target) {
    pen.fillStyle = WAYPOINT;
    pen.fill();
    return;
  }
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    pen.moveTo(x + 0.5 * radius * dx, y + 0.5 * radius * dy);
    pen.lineTo(x + 1.6 * radius * dx, y + 1.6 * radius * dy);
  }
  pen.lineWidth = radius / 3;
  pen.strokeStyle = WAYPOINT;
  pen.stroke();
}
