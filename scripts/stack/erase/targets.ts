import { exitCode, OperationError } from "../../core/operation-error.ts";

/** Targets that the user named for erasing. */
export interface EraseTargets {
  /** True for the complete stack. Its databases are erased with it, named or not. */
  stack: boolean;
  databases: string[];
}

/**
 * Resolves the names that the user typed. A name is that of the stack, or of one of its databases. `stack:NAME` and
 * `database:NAME` are unambiguous.
 *
 * @param databases databases in the stack's state or on its server
 * @param stacks names of all stacks, which explain a name that does not fit
 * @throws OperationError (wrong usage) if a name fits both kinds or none
 */
export function eraseTargets(
  names: readonly string[],
  stack: string,
  databases: readonly string[],
  stacks: readonly string[],
): EraseTargets {
  const found = names.map((name) => targetOf(name, stack, databases, stacks));
  return {
    stack: found.some(({ kind }) => kind === "stack"),
    databases: [...new Set(found.flatMap(({ kind, name }) => (kind === "database" ? [name] : [])))],
  };
}

type Kind = "stack" | "database";

function targetOf(
  typed: string,
  stack: string,
  databases: readonly string[],
  stacks: readonly string[],
): { kind: Kind; name: string } {
  const [, prefix, name = typed] = /^(stack|database):(.*)$/s.exec(typed) ?? [];
  const isStack = prefix !== "database" && name === stack;
  const isDatabase = prefix !== "stack" && databases.includes(name);
  if (isStack && isDatabase) {
    throw new OperationError(`"${name}" is the name of the stack and of one of its databases.`, {
      hint: `Name one of them: --erase stack:${name} or --erase database:${name}.`,
      exitCode: exitCode.usage,
    });
  }
  if (isStack) return { kind: "stack", name };
  if (isDatabase) return { kind: "database", name };
  if (prefix === "stack" || (prefix === undefined && stacks.includes(name))) {
    throw new OperationError(`--erase names the stack "${name}", but the command works on the stack "${stack}".`, {
      hint: `Add --stack ${name}.`,
      exitCode: exitCode.usage,
    });
  }
  const has = databases.length === 0 ? "It has none." : `It has: ${databases.join(", ")}.`;
  throw new OperationError(`Stack "${stack}" has no database "${name}". ${has}`, {
    // No word about the complete stack: who follows it would erase more than was meant.
    hint: "Name one of them. Nothing was erased.",
    exitCode: exitCode.usage,
  });
}
