import { join } from "node:path";

export const store = process.env.TEST_CACHE;
export const paths = process.env.INPUT_PATH.split("\n").map((path) => path.trim()).filter(Boolean);

export const entry = (key) => join(store, encodeURIComponent(key));
