import { describe, expect, it } from "vitest";
import { askDatabase, connectionToAsk } from "../../../../../infra/provider/inputs/ask-database.ts";
import { unknownValue } from "../../../../../infra/provider-protocol/values.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "old" };

describe("the connection for a query at preview", () => {
  it("is the declared one if all of it is known", () => {
    expect(connectionToAsk({ ...inputs, password: "new" }, inputs)).toMatchObject({
      password: "new",
      sslmode: "disable",
    });
  });

  it("has the old values of unknown inputs", () => {
    const news = { ...inputs, password: unknownValue, port: unknownValue };
    expect(connectionToAsk(news, inputs)).toMatchObject({ password: "old", port: 5432 });
  });

  it("trusts the old CA while the new one is unknown, and is undefined if there was none", () => {
    const news = { ...inputs, sslmode: "verify-full", caCertificate: unknownValue };
    expect(connectionToAsk(news, { ...inputs, caCertificate: "old" })).toMatchObject({ ca: "old" });
    expect(connectionToAsk(news, inputs)).toBeUndefined();
  });

  it("is undefined before there is a server", () => {
    expect(connectionToAsk({ ...inputs, port: unknownValue }, undefined)).toBeUndefined();
    expect(connectionToAsk({ ...inputs, port: unknownValue }, { ...inputs, port: unknownValue })).toBeUndefined();
  });
});

describe("a query at preview", () => {
  const taking = (password: string) => async (connection: Connection | undefined) =>
    connection?.password === password
      ? ({ known: true, names: [] } as const)
      : ({ known: false, reason: `${connection?.password} is refused` } as const);
  // Nothing listens on this port. The check for a stopped server only works on this machine.
  const local = { ...inputs, host: "127.0.0.1", port: 1 };

  it("uses the former password if a rotation was interrupted", async () => {
    const news = { ...local, password: "new" };
    expect(await askDatabase(news, local, taking("old"))).toEqual({ known: true, names: [] });
    expect(await askDatabase(news, local, taking("new"))).toEqual({ known: true, names: [] });
  });

  it("runs once if the connection is unchanged, and recognises a stopped server", async () => {
    let asked = 0;
    const answer = await askDatabase(local, local, async () => {
      asked += 1;
      return { known: false, reason: "whatever the driver says" } as const;
    });
    expect({ asked, answer }).toEqual({ asked: 1, answer: { known: false, isDown: true, reason: "server is down" } });
  });
});
