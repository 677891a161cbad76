// @ts-check
// WebKitGTK now and then stands still after a seek, although it has enough to play: it says that it plays, or that it waits for what it has
// fetched. When it is asked once more to play, it does. Asking costs nothing where it really waits: what is on its way stays on its way.

const LOOK = 500; // milliseconds between two looks
const STILL = 1500; // so long nothing that plays stands still
const WAITING = 4000; // nor waits for what is fetched at the speed of playing

/**
 * Asks a player to go on whenever it should and does not.
 * @param {HTMLMediaElement} player
 * @returns {() => void} ends that
 */
export function goesOn(player) {
  if (!navigator.vendor.startsWith("Apple")) return () => {}; // what every WebKit says of itself
  let at = NaN, since = 0;
  const timer = setInterval(() => {
    const { paused, ended, seeking, readyState, currentTime } = player;
    const plays = !paused && !ended && !seeking && readyState >= player.HAVE_CURRENT_DATA;
    const now = performance.now();
    if (!plays || currentTime !== at) {
      at = currentTime;
      since = now;
    } else if (now - since > (readyState === player.HAVE_CURRENT_DATA ? WAITING : STILL)) {
      since = now;
      player.pause();
      player.play().catch(() => {}); // paused meanwhile
    }
  }, LOOK);
  return () => clearInterval(timer);
}
