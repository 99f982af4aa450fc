import { appendFileSync, cpSync, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { paths, store } from "./paths.mjs";

const wanted = encodeURIComponent(process.env["INPUT_RESTORE-KEYS"]);
const time = (name) => statSync(join(store, name)).mtimeMs;
const names = existsSync(store) ? readdirSync(store).filter((name) => name.startsWith(wanted)) : [];
names.sort((one, other) => time(other) - time(one));
for (const path of names.length > 0 ? paths : []) {
  const kept = join(store, names[0], encodeURIComponent(path));
  if (existsSync(kept)) cpSync(kept, path, { recursive: true });
}
appendFileSync(process.env.GITHUB_OUTPUT, `cache-primary-key=${process.env.INPUT_KEY}\n`);
console.log(names.length > 0 ? `restored ${decodeURIComponent(names[0])}` : "nothing to restore");
