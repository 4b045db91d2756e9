import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unlessAbsentSync } from "../core/absent.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { backendVariable } from "./backend.ts";
import { passphraseSource } from "./passphrase.ts";
import type { Stack } from "./stack.ts";

/**
 * Refuses a shared stack without a passphrase or secrets provider of its own. With this project directory's passphrase,
 * the salt would go into the stack's committed settings file. No other project directory could then read the secrets.
 *
 * @throws OperationError (wrong usage)
 */
export function requireStackSecrets(stack: Stack): void {
  const { root, name } = stack;
  if (passphraseSource(root, name, process.env).kind !== "none") return;
  const settings = settingsOf(root, name);
  if (settings === undefined || namesSecretsProvider(settings) || hasServiceBackend(stack)) return;
  throw new OperationError(`Stack "${name}" is shared, but has no passphrase of its own.`, {
    hint: /^encryptionsalt:/m.test(settings)
      ? "Set PULUMI_CONFIG_PASSPHRASE to the passphrase that the stack was brought up with."
      : `Set PULUMI_CONFIG_PASSPHRASE (any text for a temporary stack), or name a secrets provider: ` +
        `pulumi stack init ${name} --secrets-provider <url>.`,
    exitCode: exitCode.usage,
  });
}

/**
 * Refuses to deploy a shared stack with the local stack's passphrase. `pulumi` typed by hand uses it in a shell that
 * evaluated `engine env` for the local stack.
 *
 * @throws OperationError
 */
export function refuseLocalPassphrase(root: string, stack: string, env: NodeJS.ProcessEnv): void {
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (!file || passphraseSource(root, stack, env).kind !== "none") return;
  const settings = settingsOf(root, stack) ?? "";
  if (namesSecretsProvider(settings) || env.PULUMI_BACKEND_URL?.startsWith("http")) return;
  throw new OperationError(
    `Stack "${stack}" is shared, but this shell has the passphrase of the local stack (${file}).`,
    {
      hint: `Open a shell with the stack's own passphrase and run: eval "$(npm run -s pgw -- engine env --stack ${stack})"`,
    },
  );
}

/** Returns true for a secrets provider other than the passphrase. Pulumi calls that one `passphrase` or `default`. */
function namesSecretsProvider(settings: string): boolean {
  return (
    /^encryptedkey:/m.test(settings) || /^secretsprovider:\s*["']?(?!passphrase\b|default\b)[^\s"']/m.test(settings)
  );
}

/** Reads a stack's settings file. Returns undefined if there is none; the caller decides what that means. */
function settingsOf(root: string, stack: string): string | undefined {
  return unlessAbsentSync(() => readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));
}

/** Returns true for Pulumi Cloud, which keeps secrets itself. */
function hasServiceBackend(stack: Stack): boolean {
  return backendVariable(stack)?.startsWith("http") === true;
}
