import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { askServer, type Existing } from "./existing.ts";
import type { Server } from "./server.ts";

/** A declared role or database of a server. */
export interface Declared {
  kind: "roles" | "databases";
  name: string;
  resource: pulumi.CustomResource;
}

const nouns = { roles: "role", databases: "database" } as const;

/**
 * Notices roles and databases that are in the stack's state and no more on the server: somebody dropped them. The engine compares declarations with its state alone,
 * and would say that nothing is to be done. A preview warns of them; in an `up` the answer fails, so that what uses it is not tried on what is not there.
 * They are not made anew at once: a database would be an empty one, and that is for a person to see coming.
 *
 * @throws RunError, by the output, naming the command that takes note of it
 */
export function noticeVanished(
  server: Server,
  existing: Existing,
  declared: readonly Declared[],
): pulumi.Output<unknown> {
  const absent = existing.known ? declared.filter(({ kind, name }) => !existing[kind].has(name)) : [];
  if (absent.length === 0) return pulumi.output(undefined);
  if (pulumi.runtime.isDryRun()) {
    // Of what will be made there is no id yet.
    for (const each of absent) each.resource.id.apply(() => pulumi.log.warn(gone([each]), server));
    return pulumi.output(undefined);
  }
  return pulumi.all(absent.map(({ resource }) => resource.id)).apply(async () => {
    const names = (kind: Declared["kind"]) => absent.filter((each) => each.kind === kind).map(({ name }) => name);
    const now = await askServer(server, names("roles"), names("databases"));
    // Where it does not answer any more, others say so.
    const missing = now.known ? absent.filter(({ kind, name }) => !now[kind].has(name)) : [];
    if (missing.length > 0) throw new RunError(gone(missing));
  });
}

function gone(missing: readonly Declared[]): string {
  const what = missing.map(({ kind, name }) => `${nouns[kind]} "${name}"`).join(", ");
  const stack = pulumi.getStack();
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  const rows = missing.some(({ kind }) => kind === "databases") ? " A database is then empty: restore its rows." : "";
  return `The server has no ${what} any more, which this stack made: dropped by hand? \`npm run pgw -- refresh${option}\` takes note of that, and the next \`up\` makes what is gone anew.${rows}`;
}
