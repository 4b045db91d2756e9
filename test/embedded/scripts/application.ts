import { registerHooks } from "node:module";

// An application that migrates its database at its start. Tests run it as a separate process. It must not load the
// provisioning code.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith("@pulumi/")) throw new Error(`${specifier} is loaded by ${context.parentURL}`);
    return next(specifier, context);
  },
});

const { autoMigrate } = await import("pgroundwork");
const started = await autoMigrate({ database: process.argv[2] ?? "" });
process.stdout.write(JSON.stringify(started));
