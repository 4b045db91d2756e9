import { describe, expect, it } from "vitest";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { parseSettings, type Settings } from "../../../../scripts/settings/settings.ts";

const known = {
  stack: "local",
  databases: { trading: { seedSets: ["dev", "reference"] }, learning: { seedSets: ["demo", "reference"] } },
};

const local = {
  "pgroundwork:server": "embedded",
  "pgroundwork:databases": '["trading"]',
  "pgroundwork:seeds": '["reference","dev"]',
};

const hint =
  "Set them with `pulumi config set --stack local NAME VALUE` or in Pulumi.local.yaml; defaults are in Pulumi.yaml.";

const listHint = "The first database: pulumi config set --stack local --path 'pgroundwork:databases[0]' NAME";

/** Parses the settings of the local stack with changes; undefined removes a setting. */
function parse(changes: Record<string, string | undefined> = {}): Settings {
  const config = new Map<string, string>(Object.entries(local));
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) config.delete(`pgroundwork:${name}`);
    else config.set(`pgroundwork:${name}`, value);
  }
  return parseSettings(Object.fromEntries(config), known);
}

/** Returns the error's lines after the first one, which counts them. */
function faults(changes: Record<string, string | undefined>): string[] {
  try {
    parse(changes);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const [first, ...lines] = error.message.split("\n");
    const count = lines.length === 1 ? "1 setting of" : `${lines.length} settings of`;
    expect(first).toBe(`${count} stack "local" ${lines.length === 1 ? "is" : "are"} wrong:`);
    const isAboutList = lines.some((line) => line.startsWith("- Setting 'databases':"));
    expect(error.hint).toBe(isAboutList ? `${hint}\n${listHint}` : hint);
    return lines;
  }
  return [];
}

describe("valid settings", () => {
  it("give the local stack its defaults", () => {
    expect(parse()).toEqual({
      server: "embedded",
      databases: ["trading"],
      maxConnections: 100,
      seeds: ["reference", "dev"],
      profile: "desktop",
      storage: "ssd",
      protected: false,
      passwordVersion: "1",
      idleInTransactionTimeout: 60,
      readyTimeout: 60,
    });
  });

  it("can be numbers, booleans, lists and objects in Pulumi's text form", () => {
    expect(
      parse({
        port: "5433",
        dataDirectory: "/var/lib/pg data",
        memory: "256",
        profile: "oltp",
        storage: "nvme",
        maxConnections: "300",
        protected: "true",
        seeds: '["reference"]',
        databases: '["trading","learning"]',
        airgap: "false",
        passwordVersion: "2026-11",
        idleInTransactionTimeout: "0",
        readyTimeout: "5",
        postgresql:
          '{"Shared_Buffers":"64MB","jit":false,"autovacuum":true,"work_mem":8192,"auto_explain.log_min_duration":"1s"}',
      }),
    ).toEqual({
      server: "embedded",
      port: 5433,
      dataDirectory: "/var/lib/pg data",
      memory: 256,
      profile: "oltp",
      storage: "nvme",
      maxConnections: 300,
      protected: true,
      seeds: ["reference"],
      databases: ["trading", "learning"],
      airgap: false,
      passwordVersion: "2026-11",
      idleInTransactionTimeout: 0,
      readyTimeout: 5,
      postgresql: {
        shared_buffers: "64MB",
        jit: "off",
        autovacuum: "on",
        work_mem: "8192",
        "auto_explain.log_min_duration": "1s",
      },
    });
  });

  it("can stand next to other namespaces", () => {
    const config = { ...local, "postgresql:host": "x", "pulumi:tags": "{}", "pgroundworks:prot": "1" };
    expect(parseSettings(config, known)).toEqual(parse());
  });

  it("can name a seed set that only one of the databases has", () => {
    expect(parse({ databases: '["trading","learning"]', seeds: '["demo"]' }).seeds).toEqual(["demo"]);
  });

  it("can name no seed sets at all", () => {
    expect(parse({ seeds: "[]" }).seeds).toEqual([]);
  });

  it.each([
    ["port", "1", 1],
    ["port", "65535", 65535],
    ["memory", "256", 256],
    ["maxConnections", "10", 10],
    ["maxConnections", "10000", 10000],
  ])("can have %s at its limit, %s", (name, text, value) => {
    expect(parse({ [name]: text })).toMatchObject({ [name]: value });
  });
});

describe("invalid settings", () => {
  it("are reported with the kind of server that they belong to, if the stack has another one", () => {
    expect(faults({ shmSize: "64" })).toEqual([
      "- Setting 'shmSize': is not a setting for server kind 'embedded', only for 'docker'",
    ]);
    expect(faults({ server: "docker", dataDirectory: "/data" })).toEqual([
      "- Setting 'dataDirectory': is not a setting for server kind 'docker', only for 'embedded'",
    ]);
  });

  it("of an external server are reported if the URL or password is missing, without showing a password", () => {
    const url = "postgresql://admin@db.example.org/postgres?sslmode=verify-full";
    expect(faults({ server: "external" })).toEqual([
      expect.stringMatching(/^- Setting 'url': is missing; expected a URL /),
      expect.stringMatching(/^- Setting 'superuserPassword': is missing; expected a string, set with --secret/),
    ]);
    expect(faults({ server: "external", superuserPassword: "x", url: url.replace("admin", "admin:hush") })).toEqual([
      "- Setting 'url': it contains a password: set superuserPassword with --secret instead",
    ]);
    expect(faults({ server: "external", superuserPassword: "x", url: "mysql://db" })).toEqual([
      "- Setting 'url': it does not start with postgresql://",
    ]);
    expect(parse({ server: "external", superuserPassword: "x", url })).toMatchObject({
      server: "external",
      url: { host: "db.example.org", port: 5432, user: "admin", sslmode: "verify-full" },
      superuser: true,
    });
  });

  it.each(["ftp://here", "ssh://", "unix://docker.sock", "tcp://ana:secret@here"])(
    "include the Docker host %s",
    (dockerHost) => {
      expect(faults({ server: "docker", dockerHost })).toEqual([
        expect.stringMatching(/^- Setting 'dockerHost': ".*" is not a Docker host: /),
      ]);
    },
  );

  const digest = "c0ffee".padEnd(64, "0");

  it.each([
    `debian@sha256:${digest}`,
    `registry.example.org:5000/base/debian:trixie-slim@sha256:${digest}`,
    "debian:13",
  ])("are not found in the base image %s", (baseImage) => {
    expect(parse({ server: "docker", baseImage })).toMatchObject({ baseImage });
  });

  it.each([
    `debian@sha256:${digest.slice(1)}`,
    `debian@sha256:${digest.toUpperCase()}`,
    `debian@md5:${digest.slice(32)}`,
    `debian@${digest}`,
    `@sha256:${digest}`,
    "debian",
    "Debian:13",
    "debian:13 --platform=x",
  ])("include the base image %s", (baseImage) => {
    expect(faults({ server: "docker", baseImage })).toEqual([
      expect.stringContaining("- Setting 'baseImage': expected an image's name with a digest (name@sha256:… with"),
    ]);
  });

  it.each(["17", "17.0", "16.4", "17.11-0+deb13u1", "latest"])(
    "include the PostgreSQL release %s",
    (postgresVersion) => {
      expect(faults({ server: "docker", postgresVersion })).toEqual([
        `- Setting 'postgresVersion': expected a minor release of PostgreSQL 17, such as 17.11, got '${postgresVersion}'`,
      ]);
    },
  );

  it("include a PostgreSQL release for an image that is not built", () => {
    expect(faults({ server: "docker", image: "team/postgres:17", postgresVersion: "17.11" })).toEqual([
      "- Setting 'postgresVersion': has no effect on the prebuilt 'image'; remove one of the two",
    ]);
  });

  it("are reported together, unknown ones first and the others in the order of the reference", () => {
    expect(
      faults({
        prot: "5433",
        server: "cloud",
        port: "70000",
        databases: '["tradin"]',
        seeds: '["dve"]',
        protected: "maybe",
      }),
    ).toEqual([
      "- Setting 'prot': is not a setting; did you mean 'port'?",
      "- Setting 'server': expected one of embedded, docker, external, got 'cloud'",
      "- Setting 'port': expected a whole number from 1 to 65535, got '70000'",
      "- Setting 'protected': expected true or false, got 'maybe'",
      "- Setting 'databases': 'tradin' has no folder with a database.json in migrations/; did you mean 'trading'?",
      "- Setting 'seeds': no database of the stack has a seed set 'dve'; did you mean 'dev'?",
    ]);
  });

  it("are followed by a hint on where to change them", () => {
    const error = (() => {
      try {
        parse({ port: "0" });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect((error as OperationError).text).toBe(
      [
        '1 setting of stack "local" is wrong:',
        "- Setting 'port': expected a whole number from 1 to 65535, got '0'",
        `  ${hint}`,
      ].join("\n"),
    );
  });

  it.each([
    ["port", "0", "expected a whole number from 1 to 65535, got '0'"],
    ["port", "65536", "expected a whole number from 1 to 65535, got '65536'"],
    ["port", "54.5", "expected a whole number from 1 to 65535, got '54.5'"],
    ["port", "-1", "expected a whole number from 1 to 65535, got '-1'"],
    ["port", "", "expected a whole number from 1 to 65535, got ''"],
    ["port", "[5432]", "expected a whole number from 1 to 65535, got '[5432]'"],
    ["memory", "255", "expected a whole number of at least 256 (MB), got '255'"],
    ["memory", "4GB", "expected a whole number of at least 256 (MB), got '4GB'"],
    ["maxConnections", "9", "expected a whole number from 10 to 10000, got '9'"],
    ["maxConnections", "10001", "expected a whole number from 10 to 10000, got '10001'"],
    ["readyTimeout", "0", "expected a whole number from 1 to 3600, got '0'"],
    ["dataDirectory", "data", "expected an absolute path, got 'data'"],
    ["dataDirectory", "", "expected an absolute path, got ''"],
    ["profile", "laptop", "expected web, oltp, dw, desktop or mixed, got 'laptop'"],
    ["storage", "tape", "expected ssd, hdd, san or nvme, got 'tape'"],
    ["airgap", "yes", "expected true or false, got 'yes'"],
    ["databases", "trading", "expected a list of database names, got 'trading'"],
    ["databases", "[]", "must list at least one database"],
    ["databases", '["trading","trading"]', "'trading' is listed more than once"],
    ["seeds", '["dev","dev"]', "'dev' is listed more than once"],
    ["seeds", '{"dev":true}', `expected a list of seed sets, got '{"dev":true}'`],
    ["protected", "true", "is true, which excludes the seed set 'dev'; change 'seeds', or set it to false"],
  ])("are reported with what is expected: %s = %j", (name, value, reason) => {
    expect(faults({ [name]: value })).toEqual([`- Setting '${name}': ${reason}`]);
  });

  it("are followed by a line that sets one value if text was given for an object", () => {
    const parsePostgresql = (value: string) => () => parse({ postgresql: value });
    expect(parsePostgresql("{jit: off}")).toThrow(
      expect.objectContaining({
        message:
          '1 setting of stack "local" is wrong:\n' +
          "- Setting 'postgresql': expected an object of PostgreSQL settings, each a string, number, true or false, got '{jit: off}'",
        hint: `${hint}\nOne value in postgresql: pulumi config set --stack local --path 'pgroundwork:postgresql.NAME' VALUE`,
      }),
    );
    expect(parse({ postgresql: '{"jit":"off"}' })).toMatchObject({ postgresql: { jit: "off" } });
  });

  it("are reported at the top level of a settings file, where the engine ignores them, with the others", () => {
    const topLevel = {
      "Pulumi.yaml": ["name", "runtime", "main", "backend", "plugins", "config"],
      "Pulumi.local.yaml": ["encryptionsalt", "config", "pgroundwork:port", "memory", "pgroundwork:prot", "aws:region"],
    };
    const where = "has no effect at the top level of Pulumi.local.yaml; move it below 'config:', indented, as";
    expect(() => parseSettings({ ...local, "pgroundwork:memory": "1" }, { ...known, topLevel })).toThrow(
      [
        '4 settings of stack "local" are wrong:',
        `- Setting 'port': ${where} 'pgroundwork:port'`,
        `- Setting 'memory': ${where} 'pgroundwork:memory'`,
        `- Setting 'prot': ${where} 'pgroundwork:prot'`,
        "- Setting 'memory': expected a whole number of at least 256 (MB), got '1'",
      ].join("\n"),
    );
  });

  it("are reported with their position inside a list", () => {
    expect(faults({ databases: '["trading","Tr-1"]' })).toEqual([
      "- Setting 'databases[1]': 'Tr-1' cannot be a database's name: a letter, then letters, digits and _, lower case, 48 characters at most",
    ]);
  });

  it("include a database name that is too long for the suffixes of its roles", () => {
    const longest = "a".repeat(48);
    expect(faults({ databases: JSON.stringify([longest]) })).toEqual([
      `- Setting 'databases': '${longest}' has no folder with a database.json in migrations/; there are: trading, learning`,
    ]);
    expect(faults({ databases: JSON.stringify([`${longest}a`]) })[0]).toContain("cannot be a database's name");
  });

  it("include databases whose role names PostgreSQL reserves or whose folder Git ignores", () => {
    expect(faults({ databases: '["pg_shop","node_modules"]' })).toEqual([
      "- Setting 'databases[0]': 'pg_shop' starts with pg_, which PostgreSQL reserves for its own roles",
      "- Setting 'databases[1]': 'node_modules' is a folder that Git ignores: its files would not be committed",
    ]);
  });

  it("include a missing list of databases", () => {
    expect(faults({ databases: undefined, seeds: "[]" })).toEqual([
      "- Setting 'databases': is missing; expected a list of database names",
    ]);
  });

  it("do not include the seeds of an unknown database", () => {
    expect(faults({ databases: '["lerning"]', seeds: '["demo"]' })).toEqual([
      "- Setting 'databases': 'lerning' has no folder with a database.json in migrations/; did you mean 'learning'?",
    ]);
  });

  it("include a seed set that only a database outside the stack has", () => {
    expect(faults({ seeds: '["demo"]' })).toEqual([
      "- Setting 'seeds': no database of the stack has a seed set 'demo'; did you mean 'dev'?",
    ]);
  });

  it.each(["staging", "production"])(
    "include a seed set of development data in a stack named %s that is not set to unprotected",
    (stack) => {
      const config = (settings: Record<string, string>) =>
        Object.fromEntries(Object.entries(settings).map(([name, value]) => [`pgroundwork:${name}`, value]));
      const known = { stack, databases: { trading: { seedSets: ["reference", "dev"] } } };
      const settings = { databases: '["trading"]', seeds: '["reference","dev"]' };
      expect(() => parseSettings(config(settings), known)).toThrow(
        `- Setting 'protected': is true by default in a stack named "${stack}", which excludes the seed set 'dev'; change 'seeds', or set it to false`,
      );
      expect(parseSettings(config({ ...settings, seeds: '["reference"]' }), known).protected).toBe(true);
      expect(parseSettings(config({ ...settings, protected: "false" }), known).protected).toBe(false);
    },
  );

  it("include every excluded seed set of a protected stack", () => {
    expect(faults({ protected: "true", databases: '["trading","learning"]', seeds: '["dev","demo"]' })).toEqual([
      "- Setting 'protected': is true, which excludes the seed sets 'dev' and 'demo'; change 'seeds', or set it to false",
    ]);
  });

  it("include every setting of a protected stack that gives up durability, in each of PostgreSQL's spellings", () => {
    const postgresql = {
      ...{ fsync: false, full_page_writes: "of", synchronous_commit: "OFF", data_sync_retry: "yes" },
      ...{ zero_damaged_pages: 1, ignore_checksum_failure: "t", ignore_invalid_pages: true, wal_level: "Minimal" },
    };
    const safe = { fsync: "on", synchronous_commit: "local", wal_level: "logical", jit: false };
    const settings = { protected: "true", seeds: '["reference"]' };
    const refused = faults({ ...settings, postgresql: JSON.stringify(postgresql) });
    expect(refused).toHaveLength(Object.keys(postgresql).length);
    expect(refused[0]).toBe(
      "- Setting 'postgresql.fsync': 'off' is refused because 'protected' is true: a crash of the machine can corrupt every database",
    );
    expect(faults({ ...settings, postgresql: JSON.stringify(safe) })).toEqual([]);
    expect(faults({ postgresql: JSON.stringify(postgresql) })).toEqual([]);
  });

  it("name a setting once if both backups and real data exclude it", () => {
    const settings = { server: "docker", protected: "true", seeds: '["reference"]', backups: "true" };
    expect(faults({ ...settings, postgresql: '{"wal_level":"minimal"}' })).toEqual([
      "- Setting 'postgresql.wal_level': 'minimal' does not allow WAL archiving, which 'backups' needs",
    ]);
  });

  it.each([
    ["data_directory", "dataDirectory"],
    ["max-connections", "maxConnections"],
    ["database", "databases"],
    ["readytimeout", "readyTimeout"],
  ])("are reported with the similar setting if unknown: %s", (written, meant) => {
    expect(faults({ [written]: "1" })).toEqual([`- Setting '${written}': is not a setting; did you mean '${meant}'?`]);
  });

  it("are reported with all that exist if none is similar", () => {
    expect(faults({ kubernetesNamespace: "x" })[0]).toContain("is not a setting; there are: server, port,");
  });
});

describe("the setting postgresql", () => {
  it.each([
    ["port", "5433", "use the setting 'port'"],
    ["Port", "5433", "use the setting 'port'"],
    ["data_directory", "/x", "use the setting 'dataDirectory'"],
    ["max_connections", "5", "use the setting 'maxConnections', which also determines the memory of a session"],
    ["listen_addresses", "*", "the kit's server listens on 127.0.0.1 only"],
    ["hba_file", "/x", "the kit writes this file"],
    ["ident_file", "/x", "the kit writes this file"],
    ["unix_socket_directories", "/tmp", "clients connect to the kit's server over TCP"],
    ["password_encryption", "md5", "passwords are always stored as scram-sha-256"],
    ["ssl", "on", "the kit manages TLS"],
    ["ssl_key_file", "/x", "the kit manages TLS"],
    ["include", "/x", "this is not a setting, and the stack does not manage the included file"],
  ])("refuses %s, which the kit sets", (name, value, reason) => {
    expect(faults({ postgresql: JSON.stringify({ [name]: value }) })).toEqual([
      `- Setting 'postgresql.${name}': is set by the kit: ${reason}`,
    ]);
  });

  it("refuses impossible names, line breaks, and the same name twice", () => {
    const section = { "work mem": "1MB", log_line_prefix: "x\nfsync = off", jit: true, JIT: false };
    expect(faults({ postgresql: JSON.stringify(section) })).toEqual([
      "- Setting 'postgresql.work mem': is not a valid name for a PostgreSQL setting",
      "- Setting 'postgresql.log_line_prefix': contains a control character",
      "- Setting 'postgresql.JIT': 'jit' is set more than once",
    ]);
  });

  it("refuses values that are lists or objects", () => {
    expect(faults({ postgresql: '{"search_path":["a"]}' })).toEqual([
      `- Setting 'postgresql.search_path': expected an object of PostgreSQL settings, each a string, number, true or false, got '{"search_path":["a"]}'`,
    ]);
  });
});

describe("secrets in settings", () => {
  it("are not shown if their setting is unknown, or if the key suggests a secret", () => {
    const lines = faults({
      adminPassword: "hunter2-hunter2",
      postgresql: '{"primary_conninfo":"host=x password=hunter2-hunter2","x":[]}',
      dataDirectory: "postgresql://u:hunter2-hunter2@h/d",
      passwordVersion: "",
    });
    expect(lines).toHaveLength(4);
    expect(lines.join("\n")).not.toContain("hunter2");
    expect(lines.at(-1)).toBe("- Setting 'passwordVersion': expected a string or number, got [secret]");
  });

  it("and other long values are cut", () => {
    expect(faults({ profile: "x".repeat(200) })).toEqual([
      `- Setting 'profile': expected web, oltp, dw, desktop or mixed, got '${"x".repeat(80)}…'`,
    ]);
  });
});
