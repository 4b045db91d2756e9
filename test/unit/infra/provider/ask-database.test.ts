import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../infra/plugin/values.ts";
import { askDatabase, connectionToAsk } from "../../../../infra/provider/ask-database.ts";
import type { Connection } from "../../../../scripts/target/connection.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "old" };

describe("the connection to ask at preview", () => {
  it("is the declared one where all of it is known", () => {
    expect(connectionToAsk({ ...inputs, password: "new" }, inputs)).toMatchObject({
      password: "new",
      sslmode: "disable",
    });
  });

  it("has the old value of what is about to change", () => {
    const news = { ...inputs, password: unknownValue, port: unknownValue };
    expect(connectionToAsk(news, inputs)).toMatchObject({ password: "old", port: 5432 });
  });

  it("trusts the old authorities while new ones are about to be made, and is none before there are any", () => {
    const news = { ...inputs, sslmode: "verify-full", caCertificate: unknownValue };
    expect(connectionToAsk(news, { ...inputs, caCertificate: "old" })).toMatchObject({ ca: "old" });
    expect(connectionToAsk(news, inputs)).toBeUndefined();
  });

  it("is none before there is a server", () => {
    expect(connectionToAsk({ ...inputs, port: unknownValue }, undefined)).toBeUndefined();
    expect(connectionToAsk({ ...inputs, port: unknownValue }, { ...inputs, port: unknownValue })).toBeUndefined();
  });
});

describe("asking a database", () => {
  const taking = (password: string) => async (connection: Connection | undefined) =>
    connection?.password === password
      ? ({ known: true, names: [] } as const)
      : ({ known: false, reason: `${connection?.password} is refused` } as const);
  // Nothing listens there: whether the server is down is looked for on this machine only.
  const local = { ...inputs, host: "127.0.0.1", port: 1 };

  it("goes back to the password that held before, of a rotation that was interrupted", async () => {
    const news = { ...local, password: "new" };
    expect(await askDatabase(news, local, taking("old"))).toEqual({ known: true, names: [] });
    expect(await askDatabase(news, local, taking("new"))).toEqual({ known: true, names: [] });
  });

  it("asks once where nothing was otherwise before, and tells a server that is down from an answer that is missing", async () => {
    let asked = 0;
    const answer = await askDatabase(local, local, async () => {
      asked += 1;
      return { known: false, reason: "whatever the driver says" } as const;
    });
    expect({ asked, answer }).toEqual({ asked: 1, answer: { known: false, reason: "server is down" } });
  });
});
