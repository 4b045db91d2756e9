import { type Command, InvalidArgumentError, Option } from "commander";
import { localStack } from "../stack/local-stack.ts";
import { defaultRole } from "./login.ts";

/** Returns the option `--stack`. */
export function stackOption(description = `the stack (default: ${localStack})`): Option {
  return new Option("-s, --stack <name>", description).argParser(stackName);
}

/** Checks a stack name by the engine's own rule. The name becomes part of a file name. */
function stackName(text: string): string {
  if (/^[A-Za-z0-9_.-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError("expected 1 to 100 letters, digits, underscores, dots or hyphens.");
}

/** Returns the option `--json`. */
export function jsonOption(): Option {
  return new Option("--json", "print the result as JSON");
}

/** Returns the option `--repository`: one of a stack's backup repositories. */
export function repositoryOption(): Option {
  return new Option("--repository <number>", "backup repository of a stack that has two; a volume is the first")
    .choices(["1", "2"])
    .default("1");
}

/** Returns the option `--generation`: a former generation of a repository. */
export function generationOption(): Option {
  return new Option(
    "--generation <number>",
    "former generation of the repository (default: the current one)",
  ).argParser((text) => {
    if (/^[1-9]\d?$/.test(text)) return Number(text);
    throw new InvalidArgumentError("expected the number of a generation.");
  });
}

/** Returns the option `--all` of commands that print changes. */
export function allChangesOption(): Option {
  return new Option("--all", "list every change, also each resource of a new database");
}

/**
 * Returns the option `--database`: a database of the stack, or the folder in migrations/ that belongs to the target.
 */
export function databaseOption(description = "the database (default: the only one)"): Option {
  return new Option("-d, --database <name>", description);
}

/**
 * Returns the option `--role`: the role to log in with on a stack. It has no default in commander, so that a typed role
 * can be told from none.
 */
export function roleOption(): Option {
  const roles = "app, readonly, migrator, monitor, backup or superuser";
  return new Option("-r, --role <name>", `role that logs in to the stack: ${roles} (default: ${defaultRole})`);
}

/** Returns the option `--url`: any PostgreSQL instead of a stack. */
export function urlOption(): Option {
  return new Option(
    "--url <url>",
    "URL of a database to use instead of a stack; set its password in PGPASSWORD, because arguments are public",
  );
}

/** Adds a verb of a command group with the common options: the database, and the format of the answer. */
export function databaseVerb(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .addOption(jsonOption());
}
