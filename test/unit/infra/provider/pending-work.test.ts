import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../infra/plugin/values.ts";
import { connectionToAsk, diffPending, pendingInputs } from "../../../../infra/provider/pending-work.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "old" };

describe("what is pending", () => {
  it("stands among the inputs by name, or as the reason why it is not known", () => {
    expect(pendingInputs({ known: true, names: ["a", "b"] }).pending).toEqual(["a", "b"]);
    expect(pendingInputs({ known: true, names: [] })).toEqual({ pending: [] });
    expect(pendingInputs({ known: false, reason: "server is down" }).pending).toEqual([
      "pending unknown, server is down",
    ]);
  });

  it("is a change for each name, and none once it was done with these very inputs", () => {
    const news = { ...inputs, ...pendingInputs({ known: true, names: ["a", "b"] }) };
    expect(diffPending(inputs, news, ["database"])).toEqual([
      { path: "pending[0]", kind: "add" },
      { path: "pending[1]", kind: "add" },
    ]);
    expect(diffPending(news, news, ["database"])).toEqual([]);
    const askedAgain = { ...inputs, ...pendingInputs({ known: true, names: ["a", "b"] }) };
    expect(diffPending(news, askedAgain, ["database"])).toHaveLength(2);
  });

  it("comes with another place to do it in, and not with another way there", () => {
    const news = { ...inputs, database: "store", password: "new", host: "elsewhere" };
    expect(diffPending(inputs, news, ["database", "folder"])).toEqual([{ path: "database", kind: "update" }]);
  });
});

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
