import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unlessAbsentSync } from "../core/absent.ts";
import type { Fault } from "./fault.ts";

/** Keys at the top level of settings files, by the name of the file. */
export type TopLevelKeys = Readonly<Record<string, readonly string[]>>;

/** Matches a key in the first column. A full YAML parser would take longer to load than the rest of the check. */
const topLevelKey = /^(["']?)([A-Za-z][\w.:-]*?)\1\s*:(?=\s|$)/gm;

/**
 * Reads the keys at the top level of a stack's settings files. The engine ignores those that it does not know, and
 * removes them when it writes the file.
 *
 * @param root project directory
 */
export function readTopLevelKeys(root: string, stack: string): TopLevelKeys {
  const files = ["Pulumi.yaml", `Pulumi.${stack}.yaml`];
  return Object.fromEntries(
    files.map((file) => {
      const text = unlessAbsentSync(() => readFileSync(join(root, file), "utf8")) ?? "";
      return [file, [...text.matchAll(topLevelKey)].map(([, , key = ""]) => key)];
    }),
  );
}

/**
 * Finds settings at the top level of settings files.
 *
 * @param isSetting returns true for the name of a setting
 */
export function findMisplaced(
  topLevel: TopLevelKeys,
  namespace: string,
  isSetting: (name: string) => boolean,
): Fault[] {
  return Object.entries(topLevel).flatMap(([file, keys]) =>
    keys
      .filter((key) => key.startsWith(namespace) || isSetting(key))
      .map((key) => {
        const setting = key.startsWith(namespace) ? key.slice(namespace.length) : key;
        const reason = `has no effect at the top level of ${file}; move it below 'config:', indented, as '${namespace}${setting}'`;
        return { setting, reason };
      }),
  );
}
