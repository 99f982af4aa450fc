import { cpSync } from "node:fs";
import { join } from "node:path";

cpSync(process.env.INPUT_PATH, join(process.env.TEST_CACHE, process.env.INPUT_KEY), { recursive: true });
console.log(`kept ${process.env.INPUT_KEY}`);
