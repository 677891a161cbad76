// @ts-check
import { handler } from "./handler.mjs";
import { withGo } from "./pool.mjs";

export default handler(withGo);
