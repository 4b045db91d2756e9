import { describe, expect, it } from "vitest";
import { parseSettings, type Settings } from "../../../../infra/settings.ts";
import { OperationError } from "../../../../scripts/errors/operation-error.ts";

const known = {
  stack: "local",
  databases: { trading: { seedSets: ["dev", "reference"] }, learning: { seedSets: ["demo", "reference"] } },
};

const local = {
  "pgroundwork:server": "embedded",
  "pgroundwork:databases": '["trading"]',
  "pgroundwork:seeds": '["reference","dev"]',
};

const remedy =
  "Set them with `pulumi config set --stack local NAME VALUE` or in Pulumi.local.yaml; defaults stand in Pulumi.yaml.";

/** Settings of the local stack with some set differently; undefined takes one away. */
function parse(changes: Record<string, string | undefined> = {}): Settings {
  const config = new Map<string, string>(Object.entries(local));
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) config.delete(`pgroundwork:${name}`);
    else config.set(`pgroundwork:${name}`, value);
  }
  return parseSettings(Object.fromEntries(config), known);
}

/** The error's lines after the first, which counts them. */
function faults(changes: Record<string, string | undefined>): string[] {
  try {
    parse(changes);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const [first, ...lines] = error.message.split("\n");
    const count = lines.length === 1 ? "1 setting of" : `${lines.length} settings of`;
    expect(first).toBe(`${count} stack "local" ${lines.length === 1 ? "is" : "are"} wrong:`);
    expect(error.remedy).toBe(remedy);
    return lines;
  }
  return [];
}

describe("what is right", () => {
  it("makes the local stack of the defaults", () => {
    expect(parse()).toEqual({
      server: "embedded",
      databases: ["trading"],
      maxConnections: 100,
      seeds: ["reference", "dev"],
      profile: "desktop",
      storage: "ssd",
      protected: false,
      passwordVersion: "1",
      readyTimeout: 60,
    });
  });

  it("reads numbers, booleans, lists and objects from Pulumi's text", () => {
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

  it("leaves other namespaces alone", () => {
    const config = { ...local, "postgresql:host": "x", "pulumi:tags": "{}", "pgroundworks:prot": "1" };
    expect(parseSettings(config, known)).toEqual(parse());
  });

  it("takes a seed set that only one of the databases has", () => {
    expect(parse({ databases: '["trading","learning"]', seeds: '["demo"]' }).seeds).toEqual(["demo"]);
  });

  it("takes no seed sets at all", () => {
    expect(parse({ seeds: "[]" }).seeds).toEqual([]);
  });

  it.each([
    ["port", "1", 1],
    ["port", "65535", 65535],
    ["memory", "256", 256],
    ["maxConnections", "10", 10],
    ["maxConnections", "10000", 10000],
  ])("takes %s at its limit, %s", (name, text, value) => {
    expect(parse({ [name]: text })).toMatchObject({ [name]: value });
  });
});

describe("what is wrong", () => {
  it("names the kind of server that a setting belongs to, where the stack's is another", () => {
    expect(faults({ shmSize: "64" })).toEqual([
      "- Setting 'shmSize': is no setting of a server of the kind 'embedded', only of 'docker'",
    ]);
    expect(faults({ server: "docker", dataDirectory: "/data" })).toEqual([
      "- Setting 'dataDirectory': is no setting of a server of the kind 'docker', only of 'embedded'",
    ]);
  });

  it("asks for what a server that somebody else runs cannot be reached without, and shows no password", () => {
    const url = "postgresql://admin@db.example.org/postgres?sslmode=verify-full";
    expect(faults({ server: "external" })).toEqual([
      expect.stringMatching(/^- Setting 'url': is missing; expected a URL /),
      expect.stringMatching(/^- Setting 'superuserPassword': is missing; expected a text, set with --secret/),
    ]);
    expect(faults({ server: "external", superuserPassword: "x", url: url.replace("admin", "admin:hush") })).toEqual([
      "- Setting 'url': it has a password in it: set superuserPassword with --secret instead",
    ]);
    expect(faults({ server: "external", superuserPassword: "x", url: "mysql://db" })).toEqual([
      "- Setting 'url': it does not begin with postgresql://",
    ]);
    expect(parse({ server: "external", superuserPassword: "x", url })).toMatchObject({
      server: "external",
      url: { host: "db.example.org", port: 5432, user: "admin", sslmode: "verify-full" },
      superuser: true,
    });
  });

  it.each(["ftp://here", "ssh://", "unix://docker.sock", "tcp://ana:secret@here"])(
    "refuses the Docker host %s",
    (dockerHost) => {
      expect(faults({ server: "docker", dockerHost })).toEqual([
        expect.stringMatching(/^- Setting 'dockerHost': ".*" is no Docker host: /),
      ]);
    },
  );

  it("is reported all at once, unknown settings first and the rest in the order of the reference", () => {
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
      "- Setting 'server': expected one of the kinds that exist (embedded, docker, external), got 'cloud'",
      "- Setting 'port': expected a whole number from 1 to 65535, got '70000'",
      "- Setting 'protected': expected true or false, got 'maybe'",
      "- Setting 'databases': 'tradin' has no folder with a database.json in migrations/; did you mean 'trading'?",
      "- Setting 'seeds': no database of the stack has a seed set 'dve'; did you mean 'dev'?",
    ]);
  });

  it("ends, as shown to a person, with where settings are set", () => {
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
        `  ${remedy}`,
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
    ["databases", "[]", "names no database"],
    ["databases", '["trading","trading"]', "'trading' stands there more than once"],
    ["seeds", '["dev","dev"]', "'dev' stands there more than once"],
    ["seeds", '{"dev":true}', `expected a list of seed sets, got '{"dev":true}'`],
    [
      "postgresql",
      "jit=off",
      "expected an object of PostgreSQL settings, each a text, number or true/false, got 'jit=off'",
    ],
    ["protected", "true", "true excludes the seed set 'dev'; change 'seeds' or set false"],
  ])("names %s = %j and what was expected", (name, value, reason) => {
    expect(faults({ [name]: value })).toEqual([`- Setting '${name}': ${reason}`]);
  });

  it("points at the place inside a list", () => {
    expect(faults({ databases: '["trading","Tr-1"]' })).toEqual([
      "- Setting 'databases[1]': 'Tr-1' cannot be a database's name: a letter, then letters, digits and _, lower case, 48 characters at most",
    ]);
  });

  it("refuses a database's name to which no role's suffix can be added", () => {
    const longest = "a".repeat(48);
    expect(faults({ databases: JSON.stringify([longest]) })).toEqual([
      `- Setting 'databases': '${longest}' has no folder with a database.json in migrations/; there are: trading, learning`,
    ]);
    expect(faults({ databases: JSON.stringify([`${longest}a`]) })[0]).toContain("cannot be a database's name");
  });

  it("refuses databases whose roles PostgreSQL would refuse, or whose files Git would not keep", () => {
    expect(faults({ databases: '["pg_shop","node_modules"]' })).toEqual([
      "- Setting 'databases[0]': 'pg_shop' begins with pg_, which PostgreSQL reserves for roles of its own",
      "- Setting 'databases[1]': 'node_modules' is a folder that Git is told to ignore: its files would not be committed",
    ]);
  });

  it("is that databases are missing", () => {
    expect(faults({ databases: undefined, seeds: "[]" })).toEqual([
      "- Setting 'databases': is missing; expected a list of database names",
    ]);
  });

  it("does not blame seeds for an unknown database", () => {
    expect(faults({ databases: '["lerning"]', seeds: '["demo"]' })).toEqual([
      "- Setting 'databases': 'lerning' has no folder with a database.json in migrations/; did you mean 'learning'?",
    ]);
  });

  it("is a seed set that only a database outside the stack has", () => {
    expect(faults({ seeds: '["demo"]' })).toEqual([
      "- Setting 'seeds': no database of the stack has a seed set 'demo'; did you mean 'dev'?",
    ]);
  });

  it.each(["staging", "production"])(
    "is a seed set of invented data in a stack named %s that does not say otherwise",
    (stack) => {
      const config = (settings: Record<string, string>) =>
        Object.fromEntries(Object.entries(settings).map(([name, value]) => [`pgroundwork:${name}`, value]));
      const known = { stack, databases: { trading: { seedSets: ["reference", "dev"] } } };
      const settings = { databases: '["trading"]', seeds: '["reference","dev"]' };
      expect(() => parseSettings(config(settings), known)).toThrow(
        `- Setting 'protected': not set, and therefore true in a stack named "${stack}", excludes the seed set 'dev'; change 'seeds' or set false`,
      );
      expect(parseSettings(config({ ...settings, seeds: '["reference"]' }), known).protected).toBe(true);
      expect(parseSettings(config({ ...settings, protected: "false" }), known).protected).toBe(false);
    },
  );

  it("is every excluded seed set of a protected stack", () => {
    expect(faults({ protected: "true", databases: '["trading","learning"]', seeds: '["dev","demo"]' })).toEqual([
      "- Setting 'protected': true excludes the seed sets 'dev' and 'demo'; change 'seeds' or set false",
    ]);
  });

  it.each([
    ["data_directory", "dataDirectory"],
    ["max-connections", "maxConnections"],
    ["database", "databases"],
    ["readytimeout", "readyTimeout"],
  ])("suggests the setting near to %s", (written, meant) => {
    expect(faults({ [written]: "1" })).toEqual([`- Setting '${written}': is not a setting; did you mean '${meant}'?`]);
  });

  it("lists what there is when no setting is near", () => {
    expect(faults({ kubernetesNamespace: "x" })[0]).toContain("is not a setting; there are: server, port,");
  });
});

describe("the section postgresql", () => {
  it.each([
    ["port", "5433", "use the setting 'port'"],
    ["Port", "5433", "use the setting 'port'"],
    ["data_directory", "/x", "use the setting 'dataDirectory'"],
    ["max_connections", "5", "use the setting 'maxConnections', the memory of a session is planned with it"],
    ["listen_addresses", "*", "the kit's server listens on 127.0.0.1 only"],
    ["hba_file", "/x", "the kit writes this file"],
    ["ident_file", "/x", "the kit writes this file"],
    ["unix_socket_directories", "/tmp", "the kit's server is reached over TCP"],
    ["password_encryption", "md5", "passwords are always stored as scram-sha-256"],
    ["ssl", "on", "the kit decides about TLS"],
    ["ssl_key_file", "/x", "the kit decides about TLS"],
    ["include", "/x", "this is no setting, and a file outside the stack would not converge"],
  ])("refuses %s, which the kit sets", (name, value, reason) => {
    expect(faults({ postgresql: JSON.stringify({ [name]: value }) })).toEqual([
      `- Setting 'postgresql.${name}': is set by the kit: ${reason}`,
    ]);
  });

  it("refuses names that no PostgreSQL setting has, line breaks, and one name twice", () => {
    const section = { "work mem": "1MB", log_line_prefix: "x\nfsync = off", jit: true, JIT: false };
    expect(faults({ postgresql: JSON.stringify(section) })).toEqual([
      "- Setting 'postgresql.work mem': is not a name that a PostgreSQL setting can have",
      "- Setting 'postgresql.log_line_prefix': holds a control character",
      "- Setting 'postgresql.JIT': 'jit' stands there more than once",
    ]);
  });

  it("refuses values that are lists or objects", () => {
    expect(faults({ postgresql: '{"search_path":["a"]}' })).toEqual([
      `- Setting 'postgresql.search_path': expected an object of PostgreSQL settings, each a text, number or true/false, got '{"search_path":["a"]}'`,
    ]);
  });
});

describe("secrets", () => {
  it("are not shown: neither an unknown setting's value nor what stands under a key of that kind", () => {
    const lines = faults({
      adminPassword: "hunter2-hunter2",
      postgresql: '{"primary_conninfo":"host=x password=hunter2-hunter2","x":[]}',
      dataDirectory: "postgresql://u:hunter2-hunter2@h/d",
      passwordVersion: "",
    });
    expect(lines).toHaveLength(4);
    expect(lines.join("\n")).not.toContain("hunter2");
    expect(lines.at(-1)).toBe("- Setting 'passwordVersion': expected a text or number, got [secret]");
  });

  it("do not fill the screen: long values are cut", () => {
    expect(faults({ profile: "x".repeat(200) })).toEqual([
      `- Setting 'profile': expected web, oltp, dw, desktop or mixed, got '${"x".repeat(80)}…'`,
    ]);
  });
});
