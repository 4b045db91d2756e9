#!/usr/bin/env node
import module from "node:module";
import { compileCacheFolder } from "./pulumi/cache-folder.mjs";

// npm starts this file. It is plain JavaScript that every Node version can read. If the running Node cannot run
// TypeScript, the project's own Node runs the command. If the packages are not installed, a hint is printed instead of
// a stack trace.
try {
  if (!process.features.typescript) {
    const { runOnOwnNode } = await import("./cli/own-node.mjs");
    process.exitCode = await runOnOwnNode(process.argv.slice(1));
  } else {
    // Must run before any large module is read. It saves more than half of the start time of a command that needs no
    // engine.
    module.enableCompileCache?.(compileCacheFolder(process.env));
    await import("./pgw.ts");
  }
} catch (error) {
  const failure = whyNotStarted(/** @type {NodeJS.ErrnoException} */ (error));
  if (failure === undefined) throw error;
  process.stderr.write(`error: ${failure.message}\n  ${failure.hint}\n`);
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ error: { ...failure, code: 1 } }, null, 2)}\n`);
  process.exitCode = 1;
}

/** @param {NodeJS.ErrnoException} error */
function whyNotStarted({ code, message }) {
  if (code === "NO_OWN_NODE") {
    return {
      message: `Node ${process.version} does not run TypeScript.`,
      hint: "Run `npm ci` first: it brings a Node that does, and `npm run` uses that one.",
    };
  }
  if (code === "ERR_MODULE_NOT_FOUND" && message.startsWith("Cannot find package"))
    return { message: "The packages are not installed.", hint: "Run `npm ci` first." };
  return undefined;
}
