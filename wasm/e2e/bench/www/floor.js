// @ts-check
// The floor: what a page takes to send a file and to save it when it neither compresses nor encrypts. It sends typed arrays from
// module workers, and saves through a service worker that passes each chunk on by script.

const PART = 8 << 20;
const WORKERS = 2;
const LANES = 2; // of each worker: four parts are in flight

const main = document.querySelector("main");
const hook = (name) => document.querySelector(`[data-hook=${name}]`);

if (location.pathname === "/") prepareSending();
else prepareSaving();

function prepareSending() {
  const workers = Array.from({ length: WORKERS }, () => new Worker("/floor-worker.js", { type: "module" }));
  hook("files").addEventListener("change", () => {
    hook("start").disabled = false;
    main.dataset.state = "ready";
  });
  hook("start").addEventListener("click", async () => {
    const [file] = hook("files").files;
    main.dataset.state = "sending";
    const job = { file, part: PART, step: WORKERS, lanes: LANES };
    await Promise.all(workers.map((worker, first) => send(worker, { ...job, first }))).catch(fail);
    hook("link").value = `${location.origin}/d/${file.name}`;
    if (main.dataset.state === "sending") main.dataset.state = "done";
  });
  main.dataset.state = "idle";
}

function send(worker, job) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data === "sent" ? resolve() : reject(data));
    worker.postMessage(job);
  });
}

async function prepareSaving() {
  const container = navigator.serviceWorker;
  container.onmessage = () => (main.dataset.state = "done");
  await container.register("/floor-sw.js", { type: "module" });
  if (!container.controller) await new Promise((resolve) => (container.oncontrollerchange = resolve));
  hook("download").addEventListener("click", () => {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = location.pathname.replace("/d/", "/save/");
    main.dataset.way = "stream";
    main.dataset.state = "receiving";
    document.body.append(frame);
    setInterval(() => fetch("/alive"), 10_000); // Firefox ends a service worker that gets no events
  });
  main.dataset.state = "ready";
}

function fail(e) {
  main.dataset.state = "error";
  main.append(String(e));
}
