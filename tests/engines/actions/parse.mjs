// GitHub's own workflow parser: prints what it says of each file as JSON; exits 1 when it refuses one.
import { readFileSync } from "node:fs";

import { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } from "@actions/workflow-parser";

async function problems(path) {
  const result = parseWorkflow({ name: path, content: readFileSync(path, "utf8") }, new NoOperationTraceWriter());
  const messages = result.context.errors.getErrors().map((error) => error.message);
  if (messages.length > 0) return messages;
  const template = await convertWorkflowTemplate(result.context, result.value);
  return (template.errors ?? []).map((error) => error.Message);
}

const found = {};
for (const path of process.argv.slice(2)) {
  const messages = await problems(path);
  if (messages.length > 0) found[path] = messages;
}
console.log(JSON.stringify(found));
process.exitCode = Object.keys(found).length > 0 ? 1 : 0;
