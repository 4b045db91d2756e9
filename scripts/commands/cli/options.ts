import { InvalidArgumentError, Option } from "commander";
import { localStack } from "../../stack/stacks.ts";
import { defaultRole } from "./login.ts";

/** `--stack`: which environment. */
export function stackOption(): Option {
  return new Option("-s, --stack <name>", `the stack (default: ${localStack})`).argParser(stackName);
}

/** The engine's own rule for names, which become part of a file's name. */
function stackName(text: string): string {
  if (/^[A-Za-z0-9_.-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError("expected 1 to 100 letters, digits, underscores, dots or hyphens.");
}

/** `--json`: the answer for programs. */
export function jsonOption(): Option {
  return new Option("--json", "print the answer as JSON");
}

/** `--database`: one of the stack's, or the folder below migrations/ that belongs to the target. */
export function databaseOption(): Option {
  return new Option("-d, --database <name>", "the database (default: the only one)");
}

/** `--role`: what to log in as on a stack. No default of commander's, so that a role that was typed can be told from none. */
export function roleOption(): Option {
  const roles = "app, readonly, migrator, monitor, backup or superuser";
  return new Option("-r, --role <name>", `${roles}, to log in to a stack as (default: ${defaultRole})`);
}

/** `--url`: any PostgreSQL instead of a stack. */
export function urlOption(): Option {
  return new Option(
    "--url <url>",
    "a PostgreSQL instead of a stack; the password comes from PGPASSWORD, since arguments are public",
  );
}
