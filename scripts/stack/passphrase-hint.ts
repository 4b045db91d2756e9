import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shellQuote } from "../core/shell.ts";
import { backendNote, describeBackend } from "./backend.ts";
import { hasEncryptedSettings } from "./encryption-salt.ts";
import { passphraseInEnvironment, passphraseSource } from "./passphrase.ts";
import { encryptionSalts, matchesSalt } from "./passphrase-salt.ts";
import { setAsideHint, stateFile } from "./state-file.ts";
import { declaredStateFolder } from "./state-folder.ts";

/**
 * Says which passphrase the engine used for a stack, why it failed and what to do. Returns undefined if the failure has
 * another cause.
 */
export function passphraseHint(
  text: string,
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (text.includes("unable to read PULUMI_CONFIG_PASSPHRASE_FILE"))
    return `PULUMI_CONFIG_PASSPHRASE_FILE is "${env.PULUMI_CONFIG_PASSPHRASE_FILE}", and this file cannot be read. Correct the variable.`;
  if (text.includes("passphrase must be set"))
    return `The environment has no passphrase for stack "${stack}". Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.`;
  if (!text.includes("incorrect passphrase")) return undefined;
  if (hasOnlySalt(root, stack, env)) return onlySaltHint(root, stack, env);
  const lines = [...mismatch(root, stack, env)];
  const where = backendNote(root, stack, env);
  if (where !== undefined) lines.push(where);
  // In a shared backend, one user's wrong passphrase is no reason to touch the team's state.
  if (stateFile(root, stack, env) !== undefined) lines.push(setAsideHint(root, stack, env));
  return lines.join("\n  ");
}

/** Returns true if a stack has a salt in its settings file, and no state in a folder. Elsewhere a state may exist. */
function hasOnlySalt(root: string, stack: string, env: NodeJS.ProcessEnv): boolean {
  const isLocal = declaredStateFolder(root, stack, env) !== undefined;
  return (
    isLocal && stateFile(root, stack, env) === undefined && encryptionSalts(root, stack, env).settings !== undefined
  );
}

function onlySaltHint(root: string, stack: string, env: NodeJS.ProcessEnv): string {
  const file = `Pulumi.${stack}.yaml`;
  const encrypted = hasEncryptedSettings(readFileSync(join(root, file), "utf8"))
    ? `, and set the encrypted settings (secure:) of this file again`
    : "";
  return [
    `${describeSource(root, stack, env)} does not match the line "encryptionsalt" in ${file}.`,
    `Stack "${stack}" has no state in ${describeBackend(root, stack, env)}: the line is left of one that was erased, or belongs to another project directory.`,
    "Set the passphrase that the line was made with.",
    `If it is lost, and nobody has the stack elsewhere, delete this line${encrypted}. \`up\` writes another one.`,
  ].join("\n  ");
}

function describeSource(root: string, stack: string, env: NodeJS.ProcessEnv): string {
  const source = passphraseSource(root, stack, env);
  switch (source.kind) {
    case "local":
      return `The passphrase in ${source.file}`;
    case "variable":
      return `The passphrase in PULUMI_CONFIG_PASSPHRASE${env.PULUMI_CONFIG_PASSPHRASE === "" ? " (it is empty)" : ""}`;
    case "file":
      return `The passphrase in ${source.file} (PULUMI_CONFIG_PASSPHRASE_FILE)`;
    case "none":
      return "The passphrase";
  }
}

function mismatch(root: string, stack: string, env: NodeJS.ProcessEnv): string[] {
  const source = passphraseSource(root, stack, env);
  const used = describeSource(root, stack, env);
  switch (source.kind) {
    case "local":
      return [
        `${used} does not match stack "${stack}".`,
        ...(environmentMatches(root, stack, env)
          ? [
              "The passphrase in the environment matches. Write it to that file:",
              `  ${env.PULUMI_CONFIG_PASSPHRASE === undefined ? 'cat "$PULUMI_CONFIG_PASSPHRASE_FILE"' : 'printf %s "$PULUMI_CONFIG_PASSPHRASE"'} > ${shellQuote(source.file)}`,
            ]
          : [
              "Restore the passphrase that the stack was created with. PULUMI_CONFIG_PASSPHRASE applies only to other stacks.",
            ]),
      ];
    case "variable":
      return [
        `${used} does not match stack "${stack}".`,
        ...(env.PULUMI_CONFIG_PASSPHRASE_FILE
          ? ["Pulumi ignores PULUMI_CONFIG_PASSPHRASE_FILE while PULUMI_CONFIG_PASSPHRASE is set."]
          : []),
        "Set the passphrase that the stack was created with.",
      ];
    case "file":
      return [
        `${used} does not match stack "${stack}".`,
        "Set the variable to the file with the passphrase that the stack was created with.",
      ];
    case "none":
      return [`${used} does not match stack "${stack}". Set PULUMI_CONFIG_PASSPHRASE.`];
  }
}

function environmentMatches(root: string, stack: string, env: NodeJS.ProcessEnv): boolean {
  const named = passphraseInEnvironment(env);
  const { state, settings } = encryptionSalts(root, stack, env);
  const salt = state ?? settings;
  return named !== undefined && salt !== undefined && matchesSalt(named, salt);
}
