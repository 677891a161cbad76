// @ts-check
// Deletes what earlier visits have left in the browser's storage and nobody needs any more: at once, and links that expire while a
// page stays open, within a minute.

import { eachMinute } from "./countdown.js";
import { sweep as sweepKept } from "./kept.js";
import { sweep as sweepPartial } from "./partial.js";
import { sweep as sweepStage } from "./save-stage.js";

export function sweep() {
  eachMinute(() => sweepKept().catch(() => {}));
  return Promise.allSettled([sweepKept(), sweepStage(), sweepPartial()]);
}
