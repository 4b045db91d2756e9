import { join } from "node:path";
import type { Clone } from "./embedded/clone.ts";

/**
 * Sets the clock back some days for every Node.js process of a project: command, program and plugins.
 *
 * @returns a function that restores the real time
 */
export async function setClockBack(clone: Clone, days: number): Promise<() => void> {
  const file = ".pgroundwork/clock.mjs";
  await clone.write(
    file,
    `const RealDate = Date;
const shift = ${days} * 86_400_000;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() - shift);
    else super(...given);
  }
  static now() {
    return RealDate.now() - shift;
  }
};
`,
  );
  const before = { NODE_OPTIONS: clone.env.NODE_OPTIONS, PGW_OFFLINE: clone.env.PGW_OFFLINE };
  // A failed download is remembered with its time. In the cache that all tests share, it must not be a wrong one.
  Object.assign(clone.env, { NODE_OPTIONS: `--import=${join(clone.root, file)}`, PGW_OFFLINE: "1" });
  return () => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete clone.env[name];
      else clone.env[name] = value;
    }
  };
}
