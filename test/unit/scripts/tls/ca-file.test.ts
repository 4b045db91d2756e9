import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { caFile, withCaFile, writeCaFile } from "../../../../scripts/tls/ca-file.ts";

describe("the CA file of a stack", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pgw-clone-"));
  });
  afterEach(() => rm(root, { recursive: true }));

  it("is in the project directory, one for each stack, and readable by everyone", async () => {
    const file = writeCaFile(root, "dev", "the CAs\n");
    expect(file).toBe(join(root, caFile("dev")));
    expect(file).toBe(join(root, ".pgroundwork", "ca-dev.pem"));
    expect(await readFile(file, "utf8")).toBe("the CAs\n");
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    expect(writeCaFile(root, "staging", "others\n")).not.toBe(file);
    expect(caFile("shop-team/shop/dev")).toBe(caFile("dev"));
  });

  it("is left alone if its content is right, and replaced completely otherwise", async () => {
    const file = writeCaFile(root, "dev", "one\n");
    const first = await stat(file);
    writeCaFile(root, "dev", "one\n");
    expect((await stat(file)).ino).toBe(first.ino);
    writeCaFile(root, "dev", "two\n");
    expect((await stat(file)).ino).not.toBe(first.ino);
    expect(await readFile(file, "utf8")).toBe("two\n");
  });

  it("is written again if it was emptied", async () => {
    const file = writeCaFile(root, "dev", "one\n");
    await writeFile(file, "");
    await chmod(file, 0o600);
    writeCaFile(root, "dev", "one\n");
    expect(await readFile(file, "utf8")).toBe("one\n");
    expect((await stat(file)).mode & 0o777).toBe(0o644);
  });
});

describe("a program that needs a CA file", () => {
  const connection: Connection = { host: "db", port: 5432, database: "shop", user: "ann", sslmode: "verify-full" };

  it("gets one as long as it runs", async () => {
    const file = await withCaFile({ ...connection, ca: "the CAs\n" }, async (given) => {
      expect(given).toEqual({ ...connection, sslrootcert: expect.any(String) });
      expect(await readFile(given.sslrootcert ?? "", "utf8")).toBe("the CAs\n");
      return given.sslrootcert;
    });
    expect(existsSync(file ?? "")).toBe(false);
  });

  it("gets none without a CA certificate, and keeps an existing one", async () => {
    const given = async (of: Connection) => withCaFile(of, async (changed) => changed);
    expect(await given(connection)).toEqual(connection);
    const withFile = { ...connection, sslrootcert: "/ca.pem" };
    expect(await given(withFile)).toEqual(withFile);
  });

  it("leaves none behind if it fails", async () => {
    let file = "";
    const failed = withCaFile({ ...connection, ca: "text" }, async ({ sslrootcert }) => {
      file = sslrootcert ?? "";
      throw new Error("failed");
    });
    await expect(failed).rejects.toThrow("failed");
    expect(existsSync(file)).toBe(false);
  });
});
