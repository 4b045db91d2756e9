import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { fromEnvironment } from "../../../../scripts/connection/environment.ts";
import { writeEnvironmentFile } from "../../../../scripts/connection/environment-file.ts";

const plain: Connection = {
  host: "127.0.0.1",
  port: 20_123,
  database: "shop",
  user: "shop_app",
  password: "a-password",
  sslmode: "disable",
};
const verified: Connection = { ...plain, sslmode: "verify-full", sslrootcert: "/clone of ann/.pgroundwork/ca-dev.pem" };

describe("the .env file of an application", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgw-env-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ["without TLS", plain],
    ["to a verified server", verified],
  ])("describes the same connection by its URL and by its parts, %s", async (_how, connection) => {
    const text = await readFile(await writeEnvironmentFile(folder, connection, false), "utf8");
    const { DATABASE_URL, ...parts } = parseEnv(text);
    expect(fromEnvironment({ DATABASE_URL })).toEqual(connection);
    expect(fromEnvironment(parts)).toEqual(connection);
  });
});
