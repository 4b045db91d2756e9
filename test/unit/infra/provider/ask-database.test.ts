import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../infra/plugin/values.ts";
import { connectionToAsk } from "../../../../infra/provider/ask-database.ts";

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

  it("is none before there is a server", () => {
    expect(connectionToAsk({ ...inputs, port: unknownValue }, undefined)).toBeUndefined();
    expect(connectionToAsk({ ...inputs, port: unknownValue }, { ...inputs, port: unknownValue })).toBeUndefined();
  });
});
