// @ts-check
// Deletes what earlier visits have left in the browser's storage and nobody needs any more.

import { sweep as sweepPartial } from "./partial.js";
import { sweep as sweepStage } from "./save-stage.js";

export const sweep = () => Promise.allSettled([sweepStage(), sweepPartial()]);
