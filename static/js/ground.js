// @ts-check
// What a page imports first: where support.js has found that it cannot work, nothing of it begins.

if (document.documentElement.dataset.trouble) await new Promise(() => {});
