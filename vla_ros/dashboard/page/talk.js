// To and from the dashboard's server.

const BLIND_S = 1.5;
const arm = document.body.dataset.namespace; // which this page was made for; empty: the only one

/** Ask for something; answers {done, message}, also when nobody answers. */
export async function ask(name, words = "") {
  try {
    const answer = await fetch(`/${name}?arm=${encodeURIComponent(arm)}`, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "text/plain" },
      body: words,
      priority: "high",
      signal: AbortSignal.timeout(4000),
    });
    return await answer.json();
  } catch {
    const instead = name === "estop" ? ": use the robot's own e-stop" : "";
    return { done: false, message: `the dashboard does not answer${instead}` };
  }
}

/**
 * Show each new document until the page is closed. A slow browser asks less often and always gets the newest.
 * show(document, blobs or null); blind(why nothing is shown).
 */
export async function follow({ images = true, pause_ms = 0, show, blind }) {
  const reader = Math.random().toString(36).slice(2);
  let number = -1;
  let image_number = -1;
  let heard = performance.now();
  setInterval(() => {
    const seconds = (performance.now() - heard) / 1000;
    if (seconds > BLIND_S) blind(`No answer from the dashboard for ${seconds.toFixed(0)} s: use the robot's own e-stop.`);
  }, 250);
  for (;;) {
    try {
      const wanted = images ? `&images=${image_number}` : "";
      const answer = await fetch(`/document?reader=${reader}&after=${number}${wanted}`, {
        signal: AbortSignal.timeout(3000),
      });
      if (answer.status === 401) return location.reload();
      if (answer.status === 200) {
        const body = await answer.arrayBuffer();
        const length = new DataView(body).getUint32(0, true);
        const content = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length)));
        number = content.number;
        let blobs = null;
        if (images && content.image_number !== image_number && body.byteLength > 4 + length) {
          image_number = content.image_number;
          let at = 4 + length;
          blobs = content.cameras.map(({ bytes }) => new Blob([body.slice(at, (at += bytes))], { type: "image/jpeg" }));
        }
        heard = performance.now();
        if (content.namespace === arm) show(content, blobs);
        else blind(`This address now serves arm ${content.namespace || "/"}: reload this page.`);
      }
      if (pause_ms) await new Promise(done => setTimeout(done, pause_ms));
    } catch {
      await new Promise(done => setTimeout(done, 300));
    }
  }
}
