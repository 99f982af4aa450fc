// A wrapper around GitHub's own artifact client that takes the inputs of actions/download-artifact which we write.
import { DefaultArtifactClient } from "@actions/artifact";
import * as core from "@actions/core";
import { minimatch } from "minimatch";

async function main() {
  const client = new DefaultArtifactClient();
  const name = core.getInput("name");
  const pattern = core.getInput("pattern");
  const path = core.getInput("path", { required: true });
  if (pattern && !core.getBooleanInput("merge-multiple")) throw new Error("only merge-multiple is supported");
  const wanted = name
    ? [(await client.getArtifact(name)).artifact]
    : (await client.listArtifacts({ latest: true })).artifacts.filter((item) => minimatch(item.name, pattern));
  if (wanted.length === 0) throw new Error(`no artifact matches ${pattern}`);
  for (const item of wanted) {
    await client.downloadArtifact(item.id, { path });
    core.info(`downloaded ${item.name} to ${path}`);
  }
}

main().catch((error) => core.setFailed(error.message));
