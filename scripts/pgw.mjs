import module from "node:module";
import { compileCacheFolder } from "./engine/cache-folder.mjs";

// What npm starts. Plain JavaScript, which every Node reads: a clone without its packages is told so, instead of getting a stack trace.
try {
  // Before anything larger is read: it saves more than half of what a command that needs no engine takes to start. An older Node has none.
  module.enableCompileCache?.(compileCacheFolder(process.env));
  await import("./pgw.ts");
} catch (error) {
  const reason = whyNotStarted(/** @type {NodeJS.ErrnoException} */ (error));
  if (reason === undefined) throw error;
  process.stderr.write(`error: ${reason}\n`);
  process.exitCode = 1;
}

/** @param {NodeJS.ErrnoException} error */
function whyNotStarted({ code, message }) {
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return `Node ${process.version} does not run TypeScript.\n  Run \`npm ci\` first: it brings a Node that does, and \`npm run\` uses that one.`;
  }
  if (code === "ERR_MODULE_NOT_FOUND" && message.startsWith("Cannot find package")) {
    return "The packages are not installed.\n  Run `npm ci` first.";
  }
  return undefined;
}
