import * as pulumi from "@pulumi/pulumi";
import type { Server } from "../server.ts";
import type { Existing } from "./existing-objects.ts";

/**
 * Warns, in `preview` and in `up`, if a database will be created empty while the server has one that is no longer
 * declared. Its folder may have been renamed, and its rows are under the old name.
 *
 * @param declared names of the databases in the settings
 * @param isCertain returns true if an undeclared database belonged to this stack. On a server that others also use,
 * this is certain only for a database without a folder.
 */
export function warnOfRenames(
  server: Server,
  existing: Existing,
  declared: readonly string[],
  isCertain: (database: string) => boolean,
): void {
  if (!existing.known) return;
  const old = existing.undeclared.filter(isCertain);
  const created = declared.filter((name) => !existing.databases.has(name));
  if (old.length === 0) return;
  for (const name of created) void pulumi.log.warn(renamed(old, name), server);
}

function renamed(old: readonly string[], name: string): string {
  const option = pulumi.getStack() === "local" ? "" : ` --stack ${pulumi.getStack()}`;
  const [are, one] = old.length === 1 ? ["is", "that database"] : ["are", "one of them"];
  return [
    `Database "${name}" will be created empty. The server also has ${old.join(", ")}, which ${are} no longer in the settings.`,
    `  If "${name}" is the new name of ${one}, rename it on the server before \`up\` to keep its data:`,
    ...old.map((from) => `    npm run pgw -- database rename ${from} ${name} --on-server${option}`),
  ].join("\n");
}
