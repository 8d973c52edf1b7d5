// Requests to the dashboard's server.

const DISCONNECTED_S = 1.5;
const RETRY_MS = 300;
const namespace = document.body.dataset.namespace; // of the arm that this page was made for; empty: the only arm

/** Send an action; returns {done, message}, also when there is no answer. */
export async function sendAction(name, instruction = "") {
  try {
    const response = await fetch(`/${name}?arm=${encodeURIComponent(namespace)}`, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "text/plain" },
      body: instruction,
      priority: "high",
      signal: AbortSignal.timeout(4000),
    });
    return await response.json();
  } catch {
    const advice = name === "estop" ? ": use the robot's own e-stop" : "";
    return { done: false, message: `the dashboard does not answer${advice}` };
  }
}

/** Split the body of /document: 4 bytes with the length of the JSON, the JSON, the images. */
function parse(body) {
  const length = new DataView(body).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length)));
  return { content, images: body.slice(4 + length) };
}

/** Cut the images into one blob per camera. */
function imageBlobs(images, cameras) {
  let start = 0;
  return cameras.map(({ bytes }) => new Blob([images.slice(start, (start += bytes))], { type: "image/jpeg" }));
}

/**
 * Poll for documents until the page is closed. A slow browser asks less often and always gets the newest document.
 * onDocument(content, blobs or null); onDisconnected(reason why nothing new is shown).
 */
export async function pollDocuments({ images = true, pauseMs = 0, onDocument, onDisconnected }) {
  const reader = Math.random().toString(36).slice(2);
  let number = -1;
  let imageNumber = -1;
  let receivedMs = performance.now();
  setInterval(() => {
    const seconds = (performance.now() - receivedMs) / 1000;
    if (seconds > DISCONNECTED_S) {
      onDisconnected(`No answer from the dashboard for ${seconds.toFixed(0)} s: use the robot's own e-stop.`);
    }
  }, 250);
  for (;;) {
    try {
      const wanted = images ? `&images=${imageNumber}` : "";
      const response = await fetch(`/document?reader=${reader}&after=${number}${wanted}`, {
        signal: AbortSignal.timeout(3000),
      });
      if (response.status === 401) return location.reload();
      if (response.status === 200) {
        const document = parse(await response.arrayBuffer());
        const { content } = document;
        number = content.number;
        let blobs = null;
        if (images && content.image_number !== imageNumber && document.images.byteLength) {
          imageNumber = content.image_number;
          blobs = imageBlobs(document.images, content.cameras);
        }
        receivedMs = performance.now();
        if (content.namespace === namespace) onDocument(content, blobs);
        else onDisconnected(`This address now serves arm ${content.namespace || "/"}: reload this page.`);
      }
      if (pauseMs) await new Promise(resolve => setTimeout(resolve, pauseMs));
    } catch {
      await new Promise(resolve => setTimeout(resolve, RETRY_MS));
    }
  }
}
