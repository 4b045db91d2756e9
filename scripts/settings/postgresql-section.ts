import { z } from "zod";
import { fromJson } from "./setting.ts";

const namePattern = /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/;

/** Line breaks would end the line in postgresql.conf and begin another setting. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** Settings that the kit sets itself, with the reasons. */
const reserved: Readonly<Record<string, string>> = {
  port: "use the setting 'port'",
  data_directory: "use the setting 'dataDirectory'",
  max_connections: "use the setting 'maxConnections', which also determines the memory of a session",
  listen_addresses: "the kit's server listens on 127.0.0.1 only",
  config_file: "the kit writes this file",
  hba_file: "the kit writes this file",
  ident_file: "the kit writes this file",
  external_pid_file: "the kit finds the server by the file in its data directory",
  unix_socket_directories: "clients connect to the kit's server over TCP",
  unix_socket_group: "clients connect to the kit's server over TCP",
  unix_socket_permissions: "clients connect to the kit's server over TCP",
  password_encryption: "passwords are always stored as scram-sha-256",
  logging_collector: "`pgw logs` reads what it writes",
  log_directory: "`pgw logs` reads the files there",
  log_filename: "`pgw logs` reads the files of this name",
  log_destination: "`pgw logs` reads text, and `pgw health serve` counts errors in JSON",
  include: "this is not a setting, and the stack does not manage the included file",
  include_dir: "this is not a setting, and the stack does not manage the included file",
  include_if_exists: "this is not a setting, and the stack does not manage the included file",
};

/** Returns the reason why a stack cannot set this name, or undefined if it can. */
function reasonReserved(name: string): string | undefined {
  if (name === "ssl" || name.startsWith("ssl_")) return "the kit manages TLS";
  return Object.hasOwn(reserved, name) ? reserved[name] : undefined;
}

/**
 * Parses the section `postgresql`: settings of postgresql.conf by name, as text that PostgreSQL reads (booleans as on
 * and off). Names are converted to lower case, as PostgreSQL does. Otherwise `Port` would bypass the reserved names.
 */
export function postgresqlSection() {
  const value = z.union([z.string(), z.number(), z.boolean()]);
  return fromJson(
    z.record(z.string(), value).transform((section, context) => {
      const settings: Record<string, string> = {};
      const fault = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
      for (const [written, given] of Object.entries(section)) {
        const name = written.toLowerCase();
        const reason = reasonReserved(name);
        if (!namePattern.test(name)) fault(written, "is not a valid name for a PostgreSQL setting");
        else if (reason !== undefined) fault(written, `is set by the kit: ${reason}`);
        else if (Object.hasOwn(settings, name)) fault(written, `'${name}' is set more than once`);
        else if (typeof given === "string" && controlCharacter.test(given))
          fault(written, "contains a control character");
        else settings[name] = typeof given === "boolean" ? (given ? "on" : "off") : String(given);
      }
      return settings;
    }),
  );
}
