// @ts-check
// WebKitGTK now and then stands still after a seek, although it has enough to play, and says that it plays. When it is asked once more, it
// does.

const LOOK = 500; // milliseconds between two looks
const STILL = 1500; // so long nothing that plays stands still

/**
 * Asks a player to go on whenever it should and does not.
 * @param {HTMLMediaElement} player
 * @returns {() => void} ends that
 */
export function goesOn(player) {
  let at = NaN, since = 0;
  const timer = setInterval(() => {
    const { paused, ended, seeking, readyState, currentTime } = player;
    const plays = !paused && !ended && !seeking && readyState >= player.HAVE_FUTURE_DATA;
    const now = performance.now();
    if (!plays || currentTime !== at) {
      at = currentTime;
      since = now;
    } else if (now - since > STILL) {
      since = now;
      player.pause();
      player.play().catch(() => {}); // paused meanwhile
    }
  }, LOOK);
  return () => clearInterval(timer);
}
