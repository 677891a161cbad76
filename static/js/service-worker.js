// @ts-check
// The service worker (worker/sw.js) that belongs to this page's build.
//
// An origin has one active service worker, and tabs of several builds may be open. A page uses that of its own build or none:
// another's might not understand it. A new build's service worker waits until it is told to take over, which a page of the
// new build does when no tab is saving through the old one. Web Locks make that safe: a save holds SAVES shared, taking over
// needs it alone. A tab whose service worker was replaced saves in another way from then on, until it is reloaded.

import { base } from "./base.js";
import { hold } from "./lock.js";
import { scriptURL } from "./trusted.js";

const SAVES = "sealpost saves";
const WAIT = 3000; // milliseconds, for what takes a few
const url = scriptURL(new URL("../worker/sw.js", import.meta.url).href);

/** @type {Promise<ServiceWorkerRegistration | null> | undefined} */
let registered;

/** Registers the service worker, and has it take over if that cuts nobody short. */
export async function prepare() {
  registered ??= register().catch(() => null); // private windows of some browsers have none
  const registration = await registered;
  if (registration && !current()) await takeOver(registration);
}

async function register() {
  if (!("serviceWorker" in navigator)) return null;
  return navigator.serviceWorker.register(url, { scope: `${base}/`, updateViaCache: "none" });
}

/**
 * Resolves to the service worker of this build, and a function that lets it be replaced again; to null if there is none now.
 * @returns {Promise<{worker: ServiceWorker, release: () => void} | null>}
 */
export async function borrow() {
  await prepare();
  const release = current() && (await hold(SAVES, { mode: "shared" }));
  const worker = current(); // it may have been replaced while we waited
  if (release && worker) return { worker, release };
  release?.();
  return null;
}

/** The service worker that answers for this page, if it is of this build. */
function current() {
  const worker = navigator.serviceWorker?.controller;
  return worker?.scriptURL === String(url) ? worker : null;
}

/** @param {ServiceWorkerRegistration} registration */
async function takeOver(registration) {
  const { installing, waiting, active } = registration;
  const own = [active, waiting, installing].find((worker) => worker?.scriptURL === String(url));
  if (!own) return; // this page is the old one
  await until(own, "statechange", () => own.state !== "installing");
  const release = await hold(SAVES, { ifAvailable: true });
  if (!release) return;
  own.postMessage({ type: "take-over" });
  await until(navigator.serviceWorker, "controllerchange", () => current() !== null);
  release();
}

/**
 * Waits for a condition that an event announces, but not for ever.
 * @param {EventTarget} target
 * @param {string} event
 * @param {() => boolean} condition
 */
function until(target, event, condition) {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(WAIT);
    const look = () => condition() && resolve(undefined);
    target.addEventListener(event, look, { signal });
    signal.addEventListener("abort", resolve);
    look();
  });
}
