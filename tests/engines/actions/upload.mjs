// A wrapper around GitHub's own artifact client that takes the inputs of actions/upload-artifact which we write.
import { stat } from "node:fs/promises";
import { relative } from "node:path";

import { ArtifactNotFoundError, DefaultArtifactClient } from "@actions/artifact";
import * as core from "@actions/core";
import * as glob from "@actions/glob";

// The folder that all paths have in common, as actions/upload-artifact takes it; a single path is its own.
function common(paths) {
  const parts = paths.map((path) => path.split("/"));
  const length = parts[0].findIndex((part, index) => parts.some((other) => other[index] !== part));
  return length < 0 ? paths[0] : parts[0].slice(0, length).join("/");
}

async function files(path, all) {
  const globber = await glob.create(path, { followSymbolicLinks: true, omitBrokenSymbolicLinks: true });
  const root = common(globber.getSearchPaths());
  const found = [];
  for (const item of await globber.glob()) {
    const hidden = relative(root, item).split("/").some((name) => name.startsWith("."));
    if (!(await stat(item)).isDirectory() && (all || !hidden)) found.push(item);
  }
  return { found, root };
}

async function main() {
  const name = core.getInput("name", { required: true });
  const { found, root } = await files(
    core.getInput("path", { required: true }),
    core.getBooleanInput("include-hidden-files"),
  );
  if (found.length === 0) throw new Error(`no files were found at ${root}`);
  const client = new DefaultArtifactClient();
  if (core.getBooleanInput("overwrite")) {
    await client.deleteArtifact(name).catch((error) => {
      if (!(error instanceof ArtifactNotFoundError)) core.info(`not deleted: ${error.message}`);
    });
  }
  const { size } = await client.uploadArtifact(name, found, root);
  core.info(`uploaded ${name}: ${found.length} files, ${size} bytes`);
}

main().catch((error) => core.setFailed(error.message));
