import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineInstallation } from "../engine/ensure-engine.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { unlessAbsentSync } from "../files/absent.ts";
import { localStack } from "./stacks.ts";

/**
 * Refuses to encrypt a shared stack's secrets with this clone's own passphrase: the salt would go into the stack's committed settings file, and no other
 * clone could ever read it. The clone's passphrase is for its local stack.
 *
 * @throws OperationError (wrong usage) where the stack names no secrets provider and the environment no passphrase
 */
export function requireStackSecrets(engine: EngineInstallation, root: string, stack: string): void {
  // The variable is the kit's, so the environment names no passphrase.
  if (stack === localStack || !("PULUMI_CONFIG_PASSPHRASE_FILE" in engine.environment)) return;
  const settings = settingsOf(root, stack);
  if (settings === undefined || /^(secretsprovider|encryptedkey):/m.test(settings) || hasServiceBackend(engine)) return;
  throw new OperationError(`Stack "${stack}" is shared, and has no passphrase of its own.`, {
    remedy:
      `Set PULUMI_CONFIG_PASSPHRASE (any text, for a stack that is thrown away), or name a secrets provider: ` +
      `pulumi stack init ${stack} --secrets-provider <url>.`,
    exitCode: exitCode.usage,
  });
}

/** Undefined: there is no such file, and what that means is somebody else's to say. */
function settingsOf(root: string, stack: string): string | undefined {
  return unlessAbsentSync(() => readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));
}

/** Pulumi Cloud keeps secrets itself. */
function hasServiceBackend(engine: EngineInstallation): boolean {
  const url = engine.environment.PULUMI_BACKEND_URL ?? process.env.PULUMI_BACKEND_URL ?? "";
  return url.startsWith("http");
}
