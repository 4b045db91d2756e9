import { Option } from "commander";
import { localStack } from "../../stack/stacks.ts";

/** `--stack`: which environment. */
export function stackOption(): Option {
  return new Option("-s, --stack <name>", `the stack (default: ${localStack})`);
}

/** `--json`: the answer for programs. */
export function jsonOption(): Option {
  return new Option("--json", "print the answer as JSON");
}

/** `--database`: one of the stack's, or the folder below migrations/ that belongs to the target. */
export function databaseOption(): Option {
  return new Option("-d, --database <name>", "the database (default: the only one)");
}

/** `--url`: any PostgreSQL instead of a stack. */
export function urlOption(): Option {
  return new Option(
    "--url <url>",
    "a PostgreSQL instead of a stack; the password comes from PGPASSWORD, since arguments are public",
  );
}
