// @ts-check
// The far end of a save (worker/sink.js) that gathers everything into a Blob.

/** @import { SinkMessage } from "./types.d.ts" */
/** @import { Destination } from "./save.js" */

const CREDIT = 4;

/**
 * @param {string} name
 * @returns {Destination}
 */
export function gather(name) {
  const { port1, port2 } = new MessageChannel();
  /** @type {ArrayBuffer[]} */
  let buffers = [];
  port1.onmessage = (/** @type {MessageEvent<SinkMessage>} */ { data }) => {
    if (data.type === "data") {
      buffers.push(data.buffer);
      port1.postMessage({ type: "credit", n: 1, taken: true });
      return;
    }
    if (data.type === "end") {
      offer(new Blob(buffers, { type: "application/octet-stream" }), name);
      port1.postMessage({ type: "complete" });
    }
    buffers = [];
  };
  return {
    port: port2,
    begin: () => port1.postMessage({ type: "credit", n: CREDIT }),
    close: () => {}, // the last message may be on its way
  };
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function offer(blob, name) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
}
