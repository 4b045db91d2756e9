import { resolve } from "node:path";
import type { Command } from "commander";
import { action } from "../../context.ts";
import { jsonOption } from "../../options.ts";

export function registerDumpsKey(dumps: Command): void {
  dumps
    .command("key <file>")
    .description("create a key for encrypted dumps: the private key in a new file, the public key printed")
    .addOption(jsonOption())
    .action(
      action<object, [string]>(async (context, _options, name) => {
        const { createKey } = await import("../../../backup/dump/encryption.ts");
        const file = resolve(name);
        const recipient = await createKey(file);
        context.out.answer({ file, recipient }, () =>
          [
            recipient,
            "",
            `The private key is in ${file}. Keep a copy away from the dumps: without it, none can be read.`,
            "Dumps are encrypted to the public key if this is set:",
            `  export BACKUP_RECIPIENTS=${recipient}`,
          ].join("\n"),
        );
        return undefined;
      }),
    );
}
