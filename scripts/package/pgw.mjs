#!/usr/bin/env node
import module from "node:module";
import { compileCacheFolder } from "../pulumi/cache-folder.mjs";

// The package's command line, compiled as `dist/pgw.mjs`. It checks Node's version first: an older one would fail with
// a stack trace.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`error: Node ${process.version} is too old.\n  Use Node 22.18 or later.\n`);
  process.exitCode = 1;
} else {
  module.enableCompileCache?.(compileCacheFolder(process.env));
  await import("../pgw.ts");
}
