// @ts-check
// The one Trusted Types policy. Scripts come from this origin and from nowhere else.

const rules = {
  /** @param {string} s */
  createScriptURL(s) {
    const url = new URL(s, location.origin);
    if (url.origin !== location.origin) throw new TypeError("script from a foreign origin");
    return url.href;
  },
};

const policy = globalThis.trustedTypes?.createPolicy("app", rules) ?? rules;

/** @param {string | URL} url */
export const scriptURL = (url) => policy.createScriptURL(String(url));
