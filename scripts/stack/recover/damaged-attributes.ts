import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsentSync } from "../../core/absent.ts";
import type { StackLeftover } from "./leftover.ts";

/** Time in ms after which a file is read again: the engine empties it for a moment when it writes it. */
const writtenWithin = 200;

/**
 * Returns the paths of damaged files of attributes (`*.attrs`) that keep the engine from reading a state.
 *
 * The engine's storage does not write them atomically: a killed engine can leave an empty one. The state is complete
 * without them. They hold a content type and a checksum, for which the storage has defaults.
 *
 * @param file local file with the state of one stack
 */
export function damagedAttributes(file: string): string[] {
  const folder = dirname(file);
  const names = unlessAbsentSync(() => readdirSync(folder)) ?? [];
  const own = names.filter((name) => name.startsWith(basename(file)) && name.endsWith(".attrs"));
  // `stacks/<project>/` is in the folder whose format the other file describes.
  return [join(dirname(dirname(folder)), "meta.yaml.attrs"), ...own.map((name) => join(folder, name))].filter(
    isDamaged,
  );
}

function isDamaged(path: string): boolean {
  const text = unlessAbsentSync(() => readFileSync(path, "utf8"));
  if (text === undefined) return false;
  try {
    const attributes: unknown = JSON.parse(text);
    return typeof attributes !== "object" || attributes === null || Array.isArray(attributes);
  } catch {
    return true;
  }
}

/** Finds the files of {@link damagedAttributes}, each of which can be deleted. */
export async function attributeLeftovers(file: string | undefined): Promise<StackLeftover[]> {
  if (file === undefined || damagedAttributes(file).length === 0) return [];
  await sleep(writtenWithin);
  return damagedAttributes(file).map((path) => ({
    kind: "attributes",
    found: `a file next to the state is damaged, so that the engine cannot read the state: ${path}`,
    action: "delete it: the state is complete without it",
    hidesOthers: true,
    act: async () => {
      const isStillDamaged = isDamaged(path);
      if (isStillDamaged) await rm(path, { force: true });
      return isStillDamaged;
    },
  }));
}
