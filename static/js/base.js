// @ts-check
// Where this site is: on a host of its own, or below a path of one that it shares. All that is served lies below it, this file at
// b/BUILD/js/base.js, and that is how it is known, in pages and in workers.

const root = new URL("../../../", import.meta.url);

/** The path of the site, "" or like "/send". Addresses on this host begin with it. */
export const base = root.pathname.slice(0, -1);

/** The origin and that path. Links begin with it. */
export const site = root.origin + base;
