// Reads YAML documents, one as JSON text per line, with npm's yaml (1.2 and 1.1) and js-yaml; writes what each found.
import { createInterface } from "node:readline";
import * as jsYaml from "js-yaml";
import YAML from "yaml";

const number = (value) =>
  Number.isNaN(value) ? "nan" : value === Infinity ? "inf" : value === -Infinity ? "-inf" : Object.is(value, -0) ? "-0" : String(value);

function tagged(value) {
  if (value === null || value === undefined) return ["null"];
  if (typeof value === "string") return ["text", value];
  if (typeof value === "boolean") return ["bool", value];
  if (typeof value === "number") return ["number", number(value)];
  if (typeof value === "bigint") return ["number", number(Number(value))];
  if (Array.isArray(value)) return ["list", value.map(tagged)];
  if (value instanceof Map) return ["map", [...value].map((pair) => pair.map(tagged))];
  if (value instanceof Date || value instanceof Set || value instanceof Uint8Array) return [value.constructor.name, String(value)];
  return ["map", Object.entries(value).map((pair) => pair.map(tagged))];
}

function attempt(read) {
  try {
    return tagged(read());
  } catch (error) {
    return ["error", String(error.message ?? error)];
  }
}

const options = { mapAsMap: true, maxAliasCount: -1 };
for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  const answer = {
    "npm yaml": attempt(() => YAML.parse(text, { logLevel: "error" }, options) ?? null),
    "npm yaml 1.1": attempt(() => YAML.parse(text, { version: "1.1", logLevel: "error" }, options) ?? null),
    "js-yaml": attempt(() => jsYaml.load(text)),
  };
  process.stdout.write(JSON.stringify(answer) + "\n");
}
