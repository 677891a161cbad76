// @ts-check
// What cannot be undone is pressed twice.

const SURE = 6000; // milliseconds in which to press again

/**
 * Has a button ask first, in its own words, and act when it is pressed again.
 * @param {HTMLElement} button
 * @param {string} of what it is about, for whoever hears the button alone
 * @param {() => string} ask what it says when it was pressed once
 * @param {() => void} act
 */
export function askFirst(button, of, ask, act) {
  const label = button.textContent ?? "";
  let sure = false;
  const show = (/** @type {string} */ text) => {
    button.textContent = text;
    button.setAttribute("aria-label", of ? `${text}: ${of}` : text);
  };
  button.addEventListener("click", () => {
    if (sure) return act();
    sure = true;
    show(ask());
    setTimeout(() => {
      sure = false;
      show(label);
    }, SURE);
  });
}
