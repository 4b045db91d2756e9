import { InvalidArgumentError, Option } from "commander";

/** Returns the option `--identity`: the file of the key that decrypts a dump. */
export function identityOption(): Option {
  return new Option(
    "--identity <file>",
    "file with the private key of an encrypted dump (default: BACKUP_IDENTITY_FILE)",
  );
}

/** Returns the option `--recipient`: a key to encrypt a dump to. */
export function recipientOption(): Option {
  return new Option(
    "--recipient <key>",
    "public key (age1…) to encrypt to; repeatable (default: BACKUP_RECIPIENTS)",
  ).argParser((key: string, keys: string[] | undefined) => [...(keys ?? []), key]);
}

/** Returns the option `--jobs`. */
export function jobsOption(): Option {
  return new Option("--jobs <number>", "processes that work on a dump in the format directory")
    .argParser(jobsArgument)
    .default(1);
}

function jobsArgument(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 1 to 99.");
}
