import { describe, expect, it } from "vitest";
import { connectionUrl } from "../../../../scripts/connection/connection.ts";
import { fromUrl, parseConnectionUrl } from "../../../../scripts/connection/url.ts";

describe("--url", () => {
  it.each(["postgresql://me:hunter2@localhost/shop", "postgresql://me@localhost/shop?password=hunter2"])(
    "with a password is refused without repeating it (%#)",
    (url) => {
      let text = "";
      try {
        fromUrl(url);
      } catch (error) {
        text = (error as { text: string }).text;
      }
      expect(text).toBe(
        "--url contains a password, but arguments are public: any user of the machine can read them.\n" +
          "  Remove the password from --url and set it in PGPASSWORD, or set the complete URL in DATABASE_URL.",
      );
    },
  );

  it("takes its password from PGPASSWORD", () => {
    expect(fromUrl("postgresql://me@localhost:6000/shop", { PGPASSWORD: "pw" })).toEqual({
      host: "localhost",
      port: 6000,
      database: "shop",
      user: "me",
      password: "pw",
      sslmode: "disable",
    });
  });
});

describe("a connection URL", () => {
  it.each<[string, string, string[]]>([
    ["no host", "postgresql:///shop", ["the host in U is missing", "the user in U is missing"]],
    ["no database", "postgresql://me@localhost", ["the database in U is missing"]],
    [
      "a port that is not a number",
      "postgresql://me@localhost:abc/shop",
      ['the port in U is "abc", expected a number from 1 to 65535'],
    ],
    [
      "an unknown parameter",
      "postgresql://me@localhost/shop?schema=public",
      ['U has the parameter "schema", which pgroundwork does not support'],
    ],
    ["several hosts", "postgresql://me@a,b/shop", ['the host in U contains several hosts ("a,b"); use one']],
    [
      "an unencoded @ in the password",
      "postgresql://me:p@ss@localhost/shop",
      ["U is not a valid URL (characters such as @ : / # % in a password must be percent-encoded)"],
    ],
    ...["pa/ss", "pa?ss", "pa#ss"].map((password): [string, string, string[]] => [
      `${password} as a password that is not encoded`,
      `postgresql://me:${password}@localhost/shop`,
      ["U is not a valid URL (characters such as @ : / # % in a password must be percent-encoded)"],
    ]),
    [
      "a stray percent sign",
      "postgresql://me:50%@localhost/shop",
      ["U is not a valid URL (characters such as @ : / # % in a password must be percent-encoded)"],
    ],
  ])("with %s is refused", (_, url, faults) => {
    expect(parseConnectionUrl(url, "U").faults).toEqual(faults);
  });

  it.each([
    {
      host: "localhost",
      port: 5432,
      database: "a b/c?",
      user: "u:s@r",
      password: "p/%#@:",
      sslmode: "disable" as const,
    },
    { host: "::1", port: 1, database: "d", user: "u", sslmode: "require" as const },
    { host: "/var/run/postgresql", port: 5433, database: "d", user: "u", password: "p w", sslmode: "disable" as const },
    {
      host: "db.example",
      port: 5432,
      database: "d",
      user: "u",
      sslmode: "verify-full" as const,
      sslrootcert: "/a b.pem",
    },
  ])("made from a connection to $host is read as the same connection", (connection) => {
    expect(parseConnectionUrl(connectionUrl(connection), "U")).toEqual({ connection });
  });

  it("encodes a space without a plus sign, and reads a plus sign as such", () => {
    const connection = { host: "h", port: 5432, database: "d", user: "u", sslmode: "verify-full" as const };
    expect(connectionUrl({ ...connection, sslrootcert: "/a b+c.pem" })).toBe(
      "postgresql://u@h:5432/d?sslmode=verify-full&sslrootcert=%2Fa%20b%2Bc.pem",
    );
    const written = "postgresql://u@h:5432/d?sslmode=verify-full&sslrootcert=/a+c.pem";
    expect(parseConnectionUrl(written, "U").connection?.sslrootcert).toBe("/a+c.pem");
  });
});
