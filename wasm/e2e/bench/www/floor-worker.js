// @ts-check
// Sends every step-th part of a file, a few at a time.

onmessage = async ({ data: { file, part, first, step, lanes } }) => {
  let next = first;
  const lane = async () => {
    for (let n = next; n * part < file.size; n = next) {
      next += step;
      const body = new Uint8Array(await file.slice(n * part, (n + 1) * part).arrayBuffer());
      const response = await fetch(`/parts/${n * part}`, { method: "PUT", body });
      if (!response.ok) throw new Error(`part at ${n * part}: ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane)).then(() => postMessage("sent"), (e) => postMessage(String(e)));
};
