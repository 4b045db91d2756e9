import { exitCode, OperationError } from "./operation-error.ts";

/** Things that a command acts on, one line each: `Role shop-app`, `the server on port 5432 (pid 4425)`. */
export type Facts = readonly string[];

/**
 * Refuses to act on something that differs from what was shown and confirmed.
 *
 * @param what name of the thing: `Stack "dev"`
 * @param done sentence about what the command has done so far
 * @throws OperationError (not allowed) that lists the differences
 */
export function requireUnchanged(what: string, shown: Facts, now: Facts, done = "This command changed nothing."): void {
  const added = now.filter((fact) => !shown.includes(fact)).map((fact) => `  new   ${fact}`);
  const gone = shown.filter((fact) => !now.includes(fact)).map((fact) => `  gone  ${fact}`);
  if (added.length === 0 && gone.length === 0) return;
  throw new OperationError([`${what} changed after this command read it. ${done}`, ...added, ...gone].join("\n"), {
    hint: "Run the command again and check its output.",
    exitCode: exitCode.notAllowed,
  });
}
