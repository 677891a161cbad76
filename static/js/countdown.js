// @ts-check
// Moments: waiting for one that a person can see coming, and keeping true what is told of others.

/**
 * Calls tick with the seconds that are left, at once and then each second, and at the end with 0. Of two clocks the one that is
 * further counts: one can be set back, the other may stand still while the device sleeps. Where a hidden page's timers rest,
 * it catches up as soon as the page is seen.
 * @param {number} seconds
 * @param {(left: number) => void} tick
 */
export function countDown(seconds, tick) {
  const ends = { wall: Date.now() + seconds * 1000, steady: performance.now() + seconds * 1000 };
  let timer = 0;
  const look = () => {
    clearTimeout(timer);
    const left = Math.max(0, Math.min(ends.wall - Date.now(), ends.steady - performance.now()));
    if (left === 0) document.removeEventListener("visibilitychange", look);
    else timer = setTimeout(look, left % 1000 || 1000);
    tick(Math.ceil(left / 1000));
  };
  document.addEventListener("visibilitychange", look);
  look();
}

/**
 * Calls look now and then, and when the page is seen again: what is told of moments gets old on a page that stays open.
 * @param {() => void} look
 */
export function eachMinute(look) {
  setInterval(look, 60_000);
  document.addEventListener("visibilitychange", look);
}
