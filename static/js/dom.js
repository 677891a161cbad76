// @ts-check
// Finding and making elements. Text always goes in as text.

/**
 * The element with this data-hook.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} name
 * @returns {T}
 */
export function hook(name) {
  const element = document.querySelector(`[data-hook="${name}"]`);
  if (!element) throw new Error(`BUG: no element with hook ${name}`);
  return /** @type {T} */ (element);
}

/**
 * A new element with attributes and children; children that are strings become text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Says what went wrong, or nothing any more. A text that stays is not announced again.
 * @param {string} text
 */
export function showAlert(text) {
  const alert = hook("error");
  if (alert.textContent !== text) alert.textContent = text;
  alert.hidden = !text;
}
