import { exitCode, OperationError } from "../errors/operation-error.ts";

/** What was named to be erased. */
export interface EraseTargets {
  /** Everything of the stack; its databases go with it, whether named or not. */
  stack: boolean;
  databases: string[];
}

/**
 * Finds what the typed names mean: the stack's own name, or a database of it. `stack:NAME` and `database:NAME` say which.
 *
 * @param databases those that the stack's state or its server has
 * @throws OperationError (wrong usage) for a name of both kinds or of none
 */
export function eraseTargets(names: readonly string[], stack: string, databases: readonly string[]): EraseTargets {
  const found = names.map((name) => targetOf(name, stack, databases));
  return {
    stack: found.some(({ kind }) => kind === "stack"),
    databases: [...new Set(found.flatMap(({ kind, name }) => (kind === "database" ? [name] : [])))],
  };
}

type Kind = "stack" | "database";

function targetOf(typed: string, stack: string, databases: readonly string[]): { kind: Kind; name: string } {
  const [, prefix, name = typed] = /^(stack|database):(.*)$/s.exec(typed) ?? [];
  const isStack = prefix !== "database" && name === stack;
  const isDatabase = prefix !== "stack" && databases.includes(name);
  if (isStack && isDatabase) {
    throw new OperationError(`"${name}" is both the stack and a database of it.`, {
      remedy: `Say which is to be erased: --erase stack:${name}, or --erase database:${name}.`,
      exitCode: exitCode.usage,
    });
  }
  if (isStack) return { kind: "stack", name };
  if (isDatabase) return { kind: "database", name };
  if (prefix === "stack") {
    throw new OperationError(`"${name}" is not the stack that is meant: that is "${stack}".`, {
      remedy: `Name the stack with --stack ${name}, too.`,
      exitCode: exitCode.usage,
    });
  }
  const has = databases.length === 0 ? "It has none." : `It has: ${databases.join(", ")}.`;
  throw new OperationError(`Stack "${stack}" has no database "${name}". ${has}`, {
    remedy: `Name one of them, or the stack itself to erase everything of it: --erase ${stack}.`,
    exitCode: exitCode.usage,
  });
}
