import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clone } from "../../clone.ts";
import { makeShop } from "../../infra/program/shop.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeShop();
});
afterAll(() => clone?.remove());

describe("wrong settings", () => {
  it("are named all at once, with what was meant, and without a stack trace", async () => {
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
  Set them with \`pulumi config set --stack local NAME VALUE\` or in Pulumi.local.yaml; defaults stand in Pulumi.yaml.
`);
      expect(stderr.match(/settings of stack/g)).toHaveLength(1);
      expect(stderr).not.toMatch(/^ +at /m);
    }
  });

  it("exclude invented seeds from a stack that is protected", async () => {
    await clone.configure({ databases: ["shop"], protected: true });
    const { code, stderr } = await clone.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain("- Setting 'protected': true excludes the seed set 'dev'; change 'seeds' or set false\n");
  });

  it("that are no YAML are an error that names the file", async () => {
    await clone.write("Pulumi.local.yaml", "config:\n  pgroundwork:port: [\n");
    const { code, stderr } = await clone.pgw("up");
    expect(code).toBe(1);
    expect(stderr).toContain("Pulumi.local.yaml");
    expect(stderr).not.toMatch(/^ +at /m);
    await rm(join(clone.root, "Pulumi.local.yaml"));
  });
});

describe("wrong usage", () => {
  it.each([
    [
      ["up", "--stack", "prodution"],
      'error: There is no stack "prodution". There are: dev, local, production, staging.\n',
    ],
    [
      ["outputs", "--stack", "prodution"],
      'error: There is no stack "prodution". There are: dev, local, production, staging.\n',
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
        "  Add --json, or take one URL from `npm run -s pgw -- url`.\n",
    ],
    [
      ["psql", "--url", "postgresql://me@127.0.0.1/shop", "--role", "app"],
      'error: --url says already who logs in: me@127.0.0.1:5432/shop. --role "app" cannot change that.\n' +
        "  Leave out --role, or correct --url.\n",
    ],
    [
      ["psql", "--url", "postgresql://me@127.0.0.1/shop", "--database", "kyb"],
      "error: --url says already which database is meant: me@127.0.0.1:5432/shop. " +
        '--database "kyb" is another one.\n  Leave out --database, or correct --url.\n',
    ],
  ])("%j ends with 2 and says what is wrong", async (args, message) => {
    const { code, stdout, stderr } = await clone.pgw(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it("of a URL with a password is refused without repeating it", async () => {
    const { code, stdout, stderr } = await clone.pgw(
      "migrate",
      "status",
      "--url",
      "postgresql://me:hunter22@127.0.0.1/shop",
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      "error: --url has a password in it, and arguments are public: any user of the machine can read them.\n" +
        "  Leave the password out of --url and put it in PGPASSWORD, or give the whole URL as DATABASE_URL.\n",
    );
  });

  it.each([
    [
      "--role readonly",
      'who logs in: me@127.0.0.1:5432/shop. --role "readonly" cannot change that.\n' +
        "  Leave out --role, or unset those variables, or name the stack with --stack.\n",
    ],
    [
      "--database kyb",
      'which database is meant: me@127.0.0.1:5432/shop. --database "kyb" is another one.\n' +
        "  Leave out --database, or unset those variables, or name the stack with --stack.\n",
    ],
  ])("of psql %s, where the environment has a connection, does not go unnoticed", async (options, message) => {
    const url = "postgresql://me:hunter22@127.0.0.1/shop";
    const { code, stdout, stderr } = await clone.shell(
      `DATABASE_URL=${url} node_modules/.bin/node scripts/pgw.mjs psql ${options}`,
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`error: The environment (DATABASE_URL, DB_* or PG*) says already ${message}`);
  });

  it.each(["down", "outputs", "url", "logs", "migrate status", "seed info"])(
    "of %s before the first up says so",
    async (command) => {
      const { code, stdout, stderr } = await clone.pgw(...command.split(" "));
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain('error: Stack "local" is not up.\n  Run `npm run up`.\n');
    },
  );
});

describe("help", () => {
  it("has a version", async () => {
    const { version } = JSON.parse(await readFile(join(clone.root, "package.json"), "utf8")) as { version: string };
    expect(await clone.pgw("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("lists the commands and the exit codes", async () => {
    const { code, stdout } = await clone.pgw("--help");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not allowed as asked, 4 work is pending, 5 something is wrong.\n",
    );
  });
});
