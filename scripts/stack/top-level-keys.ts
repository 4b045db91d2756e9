import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unlessAbsentSync } from "../core/absent.ts";
import { OperationError } from "../core/operation-error.ts";
import { findMisplaced, type TopLevelKeys } from "../model/misplaced-setting.ts";

/** Matches a key in the first column. A full YAML parser would take longer to load than the rest of the check. */
const topLevelKey = /^(["']?)([A-Za-z][\w.:-]*?)\1\s*:(?=\s|$)/gm;

/** Keys that the engine knows at the top level of a stack's file. */
const enginesOwn = ["config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"];

/**
 * Reads the keys at the top level of a stack's settings files. The engine ignores those that it does not know, and
 * removes them when it writes the file.
 *
 * @param root project directory
 */
export function readTopLevelKeys(root: string, stack: string): TopLevelKeys {
  return Object.fromEntries(["Pulumi.yaml", `Pulumi.${stack}.yaml`].map((file) => [file, keysIn(join(root, file))]));
}

function keysIn(path: string): string[] {
  const text = unlessAbsentSync(() => readFileSync(path, "utf8")) ?? "";
  return [...text.matchAll(topLevelKey)].map(([, , key = ""]) => key);
}

/**
 * Requires that no settings are at the top level of a stack's file that the engine is about to write, because it would
 * remove them. It writes its salt or key if the file has none. In other files, the program reports such settings.
 *
 * @throws OperationError that lists them
 */
export function requireKeptSettings(root: string, stack: string): void {
  const file = `Pulumi.${stack}.yaml`;
  const keys = keysIn(join(root, file));
  if (keys.includes("encryptionsalt") || keys.includes("encryptedkey")) return;
  const misplaced = findMisplaced({ [file]: keys }, (key) => /^\w+$/.test(key) && !enginesOwn.includes(key));
  if (misplaced.length === 0) return;
  const count = misplaced.length === 1 ? "1 setting" : `${misplaced.length} settings`;
  const lines = misplaced.map(({ setting, reason }) => `- Setting '${setting}': ${reason}`);
  throw new OperationError(
    [`${count} of stack "${stack}" ${misplaced.length === 1 ? "is" : "are"} wrong:`, ...lines].join("\n"),
    { hint: `Correct ${file}: it would be written without them.` },
  );
}
