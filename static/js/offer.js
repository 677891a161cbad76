// @ts-check

const REST = 60_000; // milliseconds

/**
 * Has the browser save a finished Blob under a name among its downloads.
 * @param {Blob} blob
 * @param {string} name
 */
export function offer(blob, name) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), REST); // no event tells that the browser has what it needs
}
