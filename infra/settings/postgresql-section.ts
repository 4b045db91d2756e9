import { z } from "zod";
import { fromJson } from "./setting.ts";

const namePattern = /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/;

/** Line breaks would end the line in postgresql.conf and begin another setting. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** What the kit sets itself, and why a stack does not. */
const reserved: Readonly<Record<string, string>> = {
  port: "use the setting 'port'",
  data_directory: "use the setting 'dataDirectory'",
  max_connections: "use the setting 'maxConnections', the memory of a session is planned with it",
  listen_addresses: "the kit's server listens on 127.0.0.1 only",
  config_file: "the kit writes this file",
  hba_file: "the kit writes this file",
  ident_file: "the kit writes this file",
  external_pid_file: "the kit finds the server by the file in its data directory",
  unix_socket_directories: "the kit's server is reached over TCP",
  unix_socket_group: "the kit's server is reached over TCP",
  unix_socket_permissions: "the kit's server is reached over TCP",
  password_encryption: "passwords are always stored as scram-sha-256",
  logging_collector: "`pgw logs` reads what it writes",
  log_directory: "`pgw logs` reads the files there",
  log_filename: "`pgw logs` reads the files of this name",
  log_destination: "`pgw logs` reads text",
  include: "this is no setting, and a file outside the stack would not converge",
  include_dir: "this is no setting, and a file outside the stack would not converge",
  include_if_exists: "this is no setting, and a file outside the stack would not converge",
};

/** Why a stack may not set this; undefined when it may. */
function reasonReserved(name: string): string | undefined {
  if (name === "ssl" || name.startsWith("ssl_")) return "the kit decides about TLS";
  return Object.hasOwn(reserved, name) ? reserved[name] : undefined;
}

/**
 * The section `postgresql`: settings of postgresql.conf by name, as text that PostgreSQL reads (booleans as on and off). Names are
 * lower-cased, as PostgreSQL takes them: otherwise `Port` would slip past what is reserved.
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
        if (!namePattern.test(name)) fault(written, "is not a name that a PostgreSQL setting can have");
        else if (reason !== undefined) fault(written, `is set by the kit: ${reason}`);
        else if (Object.hasOwn(settings, name)) fault(written, `'${name}' stands there more than once`);
        else if (typeof given === "string" && controlCharacter.test(given)) fault(written, "holds a control character");
        else settings[name] = typeof given === "boolean" ? (given ? "on" : "off") : String(given);
      }
      return settings;
    }),
  );
}
