import { enableCompileCache } from "node:module";
import { compileCacheFolder } from "./engine/locations.ts";

// Before anything larger is loaded: it saves about half of what a command that needs no engine takes to start.
enableCompileCache(compileCacheFolder(process.env));
const { runCommandLine } = await import("./commands/command-line.ts");
await runCommandLine();
