import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCode, type OperationError } from "../../../../scripts/core/operation-error.ts";
import { listDatabases, readDatabaseFile } from "../../../../scripts/databases/database-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "pgw-databases-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(database: string, text: string): Promise<void> {
  await mkdir(path.join(folder, database), { recursive: true });
  await writeFile(path.join(folder, database, "database.json"), text);
}

async function errorOf(database: string): Promise<OperationError> {
  return readDatabaseFile(folder, database).then(
    () => {
      throw new Error("no error was thrown");
    },
    (error: OperationError) => error,
  );
}

describe("database.json", () => {
  it("can be empty", async () => {
    await write("shop", "{}");
    expect(await readDatabaseFile(folder, "shop")).toEqual({ extensions: [], seedSets: [] });
  });

  it("accepts both forms of an extension and returns one", async () => {
    const content = {
      description: "The shop",
      extensions: ["citext", { name: "vector", optional: true, schema: "ext" }],
      seedSets: ["reference", "dev"],
      partitions: { function: "audit.ensure_partitions", monthsAhead: 3 },
      jobs: { "expire carts": { schedule: "*/5 * * * *", command: "delete from cart" } },
    };
    await write("shop", JSON.stringify(content));
    expect(await readDatabaseFile(folder, "shop")).toEqual({
      ...content,
      extensions: [
        { name: "citext", optional: false },
        { name: "vector", optional: true, schema: "ext" },
      ],
      jobs: [
        { name: "expire carts", schedule: "*/5 * * * *", command: "delete from cart", optional: false },
        {
          ...{ name: "create partitions", schedule: "11 3 * * *", optional: false },
          command: 'select "audit"."ensure_partitions"(3, false)',
        },
      ],
    });
  });

  it("adds a job that drops old partitions only if it says which ones to keep", async () => {
    const partitions = { function: "audit.ensure_partitions", monthsAhead: 3, keepMonths: 24 };
    await write("shop", JSON.stringify({ partitions }));
    const { jobs } = await readDatabaseFile(folder, "shop");
    expect(jobs?.map(({ name }) => name)).toEqual(["create partitions", "drop old partitions"]);
    const job = { schedule: "0 3 * * *", command: "select 1" };
    await write("shop", JSON.stringify({ partitions, jobs: { "create partitions": job } }));
    expect((await errorOf("shop")).message).toContain('- jobs: "create partitions" is a job of "partitions"');
  });

  it("has all its errors reported with the path of the file and the nearest known key", async () => {
    await write(
      "shop",
      JSON.stringify({
        extention: [],
        zzz: 1,
        extensions: [1],
        seedSets: ["Dev Set"],
        partitions: { function: "nodot", monthsAhead: 0, monthAhead: 2 },
      }),
    );
    const error = await errorOf("shop");
    expect(error.exitCode).toBe(exitCode.usage);
    const [first, ...faults] = error.message.split("\n");
    expect(first).toBe(`${folder}/shop/database.json is not valid:`);
    expect(faults.sort()).toEqual([
      '- "extention" is not known, did you mean "extensions"?',
      '- "partitions.monthAhead" is not known, did you mean "monthsAhead"?',
      '- "zzz" is not known',
      '- extensions.0: expected a name, or an object like {"name": "pgcrypto", "optional": true, "schema": "public"}',
      "- partitions.function: expected schema.name, in lower case",
      "- partitions.monthsAhead: Too small: expected number to be >=1",
      "- seedSets.0: a set is the name of a folder: lower-case letters, digits, - and _",
    ]);
  });

  it("is refused if it names something twice", async () => {
    await write("shop", JSON.stringify({ extensions: ["citext", { name: "citext" }], seedSets: ["dev", "dev"] }));
    expect((await errorOf("shop")).message.split("\n").slice(1)).toEqual([
      '- extensions: "citext" is listed more than once',
      '- seedSets: "dev" is listed more than once',
    ]);
  });

  it("is refused if it begins with a byte order mark, which a parser's message would not show", async () => {
    await write("shop", "\uFEFF{}");
    expect((await errorOf("shop")).message).toContain(
      "- it begins with a byte order mark; save it as UTF-8 without one",
    );
  });

  it("is refused with the parser's reason if it is not JSON", async () => {
    await write("shop", "{");
    expect((await errorOf("shop")).message).toMatch(/^\S+database\.json is not valid:\n- it is not JSON: /);
  });
});

describe("the list of databases", () => {
  it("has the folders with a database.json, sorted", async () => {
    await write("shop", "{}");
    await write("learning", "{}");
    await mkdir(path.join(folder, "notes"));
    await writeFile(path.join(folder, "README.md"), "");
    expect(await listDatabases(folder)).toEqual(["learning", "shop"]);
    expect(await listDatabases(path.join(folder, "absent"))).toEqual([]);
  });

  it("is shown for an unknown name, with the nearest one, as wrong usage", async () => {
    await write("trading", "{}");
    const error = await errorOf("tradign");
    expect(error.message).toBe(
      `The database "tradign" does not exist in ${folder} (there are: trading). Did you mean "trading"?`,
    );
    expect(error.exitCode).toBe(exitCode.usage);
  });
});
