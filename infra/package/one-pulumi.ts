import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RunError } from "@pulumi/pulumi/errors.js";

/**
 * Requires that the program and this package load the same copy of @pulumi/pulumi. With two, resources of one are not
 * known to the other, and outputs are undefined without an error.
 *
 * @param program folder of the program
 * @throws RunError that names both copies
 */
export function requireOnePulumi(program: string, own = import.meta.url): void {
  const [ours, theirs] = [own, join(program, "program.js")].map(copyFor);
  if (ours === undefined || theirs === undefined || ours === theirs) return;
  throw new RunError(
    `Two copies of @pulumi/pulumi are installed. pgroundwork would use ${ours}, and the program uses ${theirs}. ` +
      "Install one version: `npm ls @pulumi/pulumi` shows who asks for which.",
  );
}

function copyFor(from: string): string | undefined {
  try {
    return realpathSync(dirname(createRequire(from).resolve("@pulumi/pulumi/package.json")));
  } catch {
    // Not found from there: whoever loads it reports that.
    return undefined;
  }
}
