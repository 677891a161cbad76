// @ts-check

/** Whether this is Chromium, or a browser made of it, on phones too: for what engines do differently and nothing else tells. */
export const chromium = "userAgentData" in navigator;
