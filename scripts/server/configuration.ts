import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import type { Account } from "./account.ts";

/** Settings of a server by their postgresql.conf name, values unquoted (`256MB`, `on`). */
export type ServerSettings = Readonly<Record<string, string>>;

/** Name of the kit's own configuration file in the data directory. */
export const configurationFile = "pgroundwork.conf";

/** Returns the settings that every embedded server has: loopback only, TCP only, logs kept for a week. */
export function baseSettings(address: { host: string; port: number }, logDirectory: string): ServerSettings {
  return {
    listen_addresses: address.host,
    port: String(address.port),
    // Only TCP with a password. The path of a socket would have to fit into 107 bytes, and would need a folder of its
    // own.
    unix_socket_directories: "",
    password_encryption: "scram-sha-256",
    logging_collector: "on",
    // Text for people, JSON for the health server, which counts errors.
    log_destination: "stderr,jsonlog",
    log_directory: logDirectory,
    log_filename: "postgresql-%a.log",
    log_file_mode: "0600",
    log_rotation_age: "1d",
    log_rotation_size: "0",
    log_truncate_on_rotation: "on",
    log_line_prefix: "%m [%p] %q%u@%d %a ",
    log_lock_waits: "on",
    log_temp_files: "0",
  };
}

/** Formats the configuration file. The same settings give the same text, in any order. */
export function renderConfiguration(settings: ServerSettings): string {
  const lines = Object.entries(settings)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} = ${quote(value)}`);
  return `# Written by pgroundwork at every change of the stack's settings; changes made here are overwritten.\n${lines.join("\n")}\n`;
}

/**
 * Parses the settings in a configuration file, written by hand or by the kit. If a setting occurs twice, the last one
 * wins, as in PostgreSQL.
 */
export function parseConfiguration(text: string): ServerSettings {
  const settings: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name, quoted, bare] =
      /^\s*([a-z_][\w$.]*)(?:\s*=\s*|\s+)(?:'((?:[^'\\]|''|\\.)*)'|([^\s#']+))/i.exec(line) ?? [];
    if (name === undefined) continue;
    settings[name.toLowerCase()] = quoted?.replaceAll(/''|\\(.)/g, (_, escaped) => escaped ?? "'") ?? bare ?? "";
  }
  return settings;
}

/** Reads the current configuration file. Returns undefined if there is none. */
export async function readConfiguration(dataDirectory: string): Promise<string | undefined> {
  return unlessAbsent(readFile(join(dataDirectory, configurationFile), "utf8"));
}

/** Returns the port in the configuration file, so that the next run keeps it. Returns undefined if there is none. */
export function configuredPort(text: string | undefined): number | undefined {
  const port = Number(/^port = '(\d+)'$/m.exec(text ?? "")?.[1]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** Writes the file atomically, and adds its include line to postgresql.conf. */
export async function writeConfiguration(
  dataDirectory: string,
  text: string,
  account: Account | undefined,
): Promise<void> {
  // First, so that a run that is killed in between leaves no settings that the server never reads.
  await include(dataDirectory);
  writeFileAtomically(join(dataDirectory, configurationFile), text, { mode: 0o600, account });
}

async function include(dataDirectory: string): Promise<void> {
  const main = join(dataDirectory, "postgresql.conf");
  const line = `include_if_exists '${configurationFile}'`;
  if (!(await readFile(main, "utf8")).split("\n").includes(line)) await appendFile(main, `\n${line}\n`);
}

/** Quotes a value for postgresql.conf (documentation, 19.1.2): quotes and backslashes are doubled. */
function quote(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
