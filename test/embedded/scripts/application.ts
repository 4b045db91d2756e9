import { registerHooks } from "node:module";

// An application that migrates itself as it starts, run by tests as a process of its own. It must not load what provisions.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith("@pulumi/")) throw new Error(`${specifier} is loaded by ${context.parentURL}`);
    return next(specifier, context);
  },
});

const { autoMigrate } = await import("pgroundwork");
const started = await autoMigrate({ database: process.argv[2] ?? "" });
process.stdout.write(JSON.stringify(started));
