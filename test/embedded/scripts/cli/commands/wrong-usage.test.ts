import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../../clone.ts";
import { makeShop } from "../../../infra/program/shop.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeShop();
});
afterAll(() => clone?.remove());

describe("wrong settings", () => {
  const misplaced = ["pgroundwork:port: 5433", "config:", '  pgroundwork:databases: ["shop"]', ""].join("\n");
  const misplacedError = [
    'error: 1 setting of stack "local" is wrong:',
    "- Setting 'port': has no effect at the top level of Pulumi.local.yaml; move it below 'config:', indented, as 'pgroundwork:port'",
    "",
  ].join("\n");

  it("are reported at the top level of the file before the first up writes the file", async () => {
    await clone.write("Pulumi.local.yaml", misplaced);
    const { code, stderr } = await clone.pgw("up");
    expect([code, stderr]).toEqual([1, expect.stringContaining(misplacedError)]);
    // The engine removes what it does not know when it writes the file.
    expect(await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8")).toBe(misplaced);
    await rm(join(clone.root, "Pulumi.local.yaml"));
  });

  it("are reported all at once, with suggestions and without a stack trace", async () => {
    await clone.configure({
      databases: ["shopp"],
      seeds: ["reference", "dev"],
      prot: 5432,
      port: 70000,
      profile: "fast",
      readyTimeout: "soon",
    });
    for (const command of ["preview", "up"]) {
      const { code, stdout, stderr } = await clone.pgw(command);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`error: 5 settings of stack "local" are wrong:
- Setting 'prot': is not a setting; did you mean 'port'?
- Setting 'port': expected a whole number from 1 to 65535, got '70000'
- Setting 'profile': expected web, oltp, dw, desktop or mixed, got 'fast'
- Setting 'readyTimeout': expected a whole number from 1 to 3600, got 'soon'
- Setting 'databases': 'shopp' has no folder with a database.json in migrations/; did you mean 'shop'?
  Set them with \`pulumi config set --stack local NAME VALUE\` or in Pulumi.local.yaml; defaults are in Pulumi.yaml.
`);
      expect(stderr.match(/settings of stack/g)).toHaveLength(1);
      expect(stderr).not.toMatch(/^ +at /m);
    }
  });

  it("are reported at the top level of the file, where the engine ignores them, with the others", async () => {
    await clone.configure({ databases: ["shop"], prot: 5432 });
    const file = join(clone.root, "Pulumi.local.yaml");
    const settings = await readFile(file, "utf8");
    // The engine has written its salt.
    expect(settings).toMatch(/^encryptionsalt:/m);
    await clone.write("Pulumi.local.yaml", `${settings}pgroundwork:port: 5433\n`);
    const { code, stderr } = await clone.pgw("preview");
    expect([code, stderr]).toEqual([1, expect.stringContaining("\n- Setting 'prot': is not a setting;")]);
    expect(stderr).toContain(misplacedError.split("\n")[1]);
    await clone.write("Pulumi.local.yaml", settings);
  });

  it("are reported if they seed a protected stack with invented rows", async () => {
    await clone.configure({ databases: ["shop"], protected: true });
    const { code, stderr } = await clone.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain(
      "- Setting 'protected': is true, which excludes the seed set 'dev'; change 'seeds', or set it to false\n",
    );
  });

  it("are reported with the file's name if they are not YAML", async () => {
    await clone.write("Pulumi.local.yaml", "config:\n  pgroundwork:port: [\n");
    const { code, stderr } = await clone.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain("Pulumi.local.yaml");
    expect(stderr).not.toMatch(/^ +at /m);
    await rm(join(clone.root, "Pulumi.local.yaml"));
  });
});

describe("the README's step for CI", () => {
  it("fails without running the tests if there is no URL", async () => {
    const readme = await readFile(join(clone.root, "README.md"), "utf8");
    const block = /- run: \|\n((?: {10}.*\n)+)/.exec(readme)?.[1] ?? "";
    expect(block).toContain("npm run your-tests");
    // GitHub's runners start a step in this way.
    await clone.write("step.sh", block.replaceAll(/^ {10}/gm, "").replace("npm run your-tests", "echo TESTED"));
    const { code, stdout, stderr } = await clone.shell("bash -e step.sh");
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining('error: Stack "local" is not up.')]);
    await rm(join(clone.root, "step.sh"));
  });
});

describe("wrong usage", () => {
  it.each([
    [
      ["up", "--stack", "prodution"],
      'error: The stack "prodution" does not exist. Existing stacks: dev, local, production, staging.\n',
    ],
    [
      ["outputs", "--stack", "prodution"],
      'error: The stack "prodution" does not exist. Existing stacks: dev, local, production, staging.\n',
    ],
    [["up", "--stakc", "local"], "error: unknown option '--stakc'\n(Did you mean --stack?)\n"],
    [["migarte"], "error: unknown command 'migarte'\n(Did you mean migrate?)\n"],
    [
      ["migrate", "status", "--url", "postgresql://me@127.0.0.1/shop", "--stack", "local"],
      "error: --url and --stack exclude each other.\n",
    ],
    [["logs", "--lines", "many"], "expected a whole number of at least 1."],
    [
      ["up", "--stack", "../other"],
      "error: option '-s, --stack <name>' argument '../other' is invalid. " +
        "expected 1 to 100 letters, digits, underscores, dots or hyphens.\n",
    ],
    [["down", "--stack", "x".repeat(101)], "expected 1 to 100 letters, digits, underscores, dots or hyphens.\n"],
    [
      ["outputs", "--show-secrets"],
      "error: --show-secrets has no effect on the summary, which shows no password.\n" +
        "  Add --json, or print one URL with `npm run -s pgw -- url`.\n",
    ],
    [
      ["psql", "--url", "postgresql://me@127.0.0.1/shop", "--role", "app"],
      'error: --url already determines the login: me@127.0.0.1:5432/shop. --role "app" cannot change it.\n' +
        "  Leave out --role, or correct --url.\n",
    ],
    [
      ["psql", "--url", "postgresql://me@127.0.0.1/shop", "--database", "kyb"],
      "error: --url already determines the database: me@127.0.0.1:5432/shop. " +
        '--database "kyb" is a different one.\n  Leave out --database, or correct --url.\n',
    ],
  ])("exits with 2 and the reason: %j", async (args, message) => {
    const { code, stdout, stderr } = await clone.pgw(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it("is reported for a URL with a password, without repeating the password", async () => {
    const { code, stdout, stderr } = await clone.pgw(
      "migrate",
      "status",
      "--url",
      "postgresql://me:hunter22@127.0.0.1/shop",
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      "error: --url contains a password, but arguments are public: any user of the machine can read them.\n" +
        "  Remove the password from --url and set it in PGPASSWORD, or set the complete URL in DATABASE_URL.\n",
    );
  });

  it.each([
    [
      "--role readonly",
      'the login: me@127.0.0.1:5432/shop. --role "readonly" cannot change it.\n' + "  Leave out --role.\n",
    ],
    [
      "--database kyb",
      'the database: me@127.0.0.1:5432/shop. --database "kyb" is a different one.\n' + "  Leave out --database.\n",
    ],
  ])("is reported for psql %s if the environment has a connection", async (options, message) => {
    const url = "postgresql://me:hunter22@127.0.0.1/shop";
    const { code, stdout, stderr } = await clone.shell(
      `DATABASE_URL=${url} node_modules/.bin/node scripts/pgw.mjs psql ${options}`,
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      `error: The environment (DATABASE_URL, DB_* or PG*) already determines ${message}` +
        "  DATABASE_URL in the environment selected this database instead of a stack. Unset it, or name the stack: " +
        `npm run pgw -- psql ${options} --stack local\n`,
    );
  });

  it.each(["down", "outputs", "status", "url", "logs", "migrate status", "seed info"])(
    "is reported for %s before the first up",
    async (command) => {
      const { code, stdout, stderr } = await clone.pgw(...command.split(" "));
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain('error: Stack "local" is not up.\n  Run `npm run up`.\n');
    },
  );

  it("is reported before a stack's first up without building an engine", async () => {
    const cache = join(clone.root, "empty-cache");
    const status = "timeout 20 node_modules/.bin/node scripts/pgw.mjs status --stack dev";
    const { code, stderr } = await clone.shell(`PULUMI_HOME= XDG_CACHE_HOME=${cache} ${status}`);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: Stack "dev" is not up\.\n {2}Run `npm run up/)]);
    expect(existsSync(join(cache, "pgroundwork", "engine"))).toBe(false);
  });
});

describe("pgw", () => {
  it("prints its version", async () => {
    const { version } = JSON.parse(await readFile(join(clone.root, "package.json"), "utf8")) as { version: string };
    expect(await clone.pgw("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("lists the commands and the exit codes", async () => {
    const { code, stdout } = await clone.pgw("--help");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 not allowed, 4 work is pending, 5 a problem was found.\n",
    );
  });
});

describe("every command with --json", () => {
  it("prints exactly one JSON value if it fails because there is no engine", async () => {
    // No engine can be found, downloaded or built, so that each command fails at once.
    const { code, stdout, stderr } = await clone.shell(
      'mkdir empty && PATH="$PWD/node_modules/.bin" PGW_OFFLINE=1 XDG_CACHE_HOME="$PWD/empty" ' +
        "node test/embedded/scripts/cli/commands/run-every-command.ts --json",
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining("error: ")]);
    const runs = JSON.parse(stdout) as { command: string; stdout: string; exit: number }[];
    expect(runs.length).toBeGreaterThan(30);
    const failed: string[] = [];
    for (const run of runs) {
      const value = JSON.parse(run.stdout) as { error?: { message: string; hint: string | null; code: number } };
      if (value.error === undefined) continue;
      failed.push(run.command);
      const hint = value.error.hint === null ? null : expect.any(String);
      expect(value, run.command).toEqual({ error: { message: expect.stringMatching(/./), hint, code: run.exit } });
    }
    // The others work on files only.
    expect(failed).toEqual(expect.arrayContaining(["up", "destroy", "migrate status", "seed clear", "backup restore"]));
  });
});
