// @ts-check
// Runs before everything else, in any browser, and says so where the page cannot work: over an unprotected connection, in a
// browser that lacks what sealing needs, when a script does not arrive. It is a classic script in the JavaScript of 2009, which
// browsers that know no modules understand too.
(function () {
  var root = document.documentElement;

  /** @param {string} name */
  function hook(name) {
    return /** @type {HTMLElement} */ (document.querySelector('[data-hook="' + name + '"]'));
  }

  /** The messages, as js/messages.js finds them. */
  function messages() {
    var template = /** @type {HTMLTemplateElement} */ (document.getElementById("messages"));
    template.setAttribute("hidden", ""); // it would be text where templates are unknown
    return JSON.parse((template.content || template).textContent || "");
  }

  /**
   * Puts one trouble in the place of the page.
   * @param {string} trouble
   */
  function tell(trouble) {
    if (root.getAttribute("data-trouble")) return;
    root.setAttribute("data-trouble", trouble); // js/ground.js goes by it
    root.setAttribute("data-started", ""); // there is nothing left to come late
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
    else show();
  }

  function show() {
    var trouble = root.getAttribute("data-trouble") || "";
    var all = messages(), words = all.errors[trouble];
    var error = hook("error"), retry = hook("retry"), title = hook("title");
    /** @type {HTMLElement} */ (document.querySelector("main")).setAttribute("data-state", "error");
    var sheet = /** @type {HTMLElement} */ (error.parentNode).children;
    for (var i = 0; i < sheet.length; i++) sheet[i].setAttribute("hidden", "");
    hook("lead").textContent = "";
    title.textContent = words.title;
    error.textContent = words.text;
    error.removeAttribute("hidden");
    if (trouble === "not-loaded") {
      retry.textContent = all.page.reload;
      retry.removeAttribute("hidden");
      retry.onclick = function () { location.reload(); };
    }
    title.focus();
  }

  function lacking() {
    var w = /** @type {any} */ (window);
    return !("noModule" in document.createElement("script")) || !w.WebAssembly || !w.Worker || !w.MessageChannel ||
      !w.ReadableStream || !w.TextEncoder || !w.Intl || !w.Intl.PluralRules || !w.Promise || !w.Promise.withResolvers ||
      !w.crypto || !w.crypto.getRandomValues || (w.isSecureContext && !(w.crypto.subtle && w.crypto.subtle.digest));
  }

  // A module that does not arrive, or one that it imports.
  window.addEventListener("error", function (e) {
    var target = /** @type {Element | null} */ (e.target);
    if (target && target.tagName === "SCRIPT") tell("not-loaded");
  }, true);

  if (lacking()) tell("old-browser");
  else if (!window.isSecureContext) tell("insecure");
})();
