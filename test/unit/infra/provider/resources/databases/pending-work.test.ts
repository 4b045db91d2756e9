import { describe, expect, it } from "vitest";
import {
  diffPending,
  type Pending,
  pendingInputs,
} from "../../../../../../infra/provider/resources/databases/pending-work.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "old" };

describe("pending work", () => {
  it.each<[string, Pending, string[]]>([
    ["by name", { known: true, names: ["a", "b"] }, ["a", "b"]],
    ["as an empty list", { known: true, names: [] }, []],
    [
      "as the reason why it is unknown",
      { known: false, reason: "server is down" },
      ["pending unknown, server is down"],
    ],
  ])("is among the inputs %s", (_how, pending, names) => {
    expect(pendingInputs(pending).pending).toEqual(names);
  });

  it("is one change for each name", () => {
    expect(diffPending({ inputs, outputs: {} }, { ...inputs, pending: ["a", "b"] }, ["database"])).toEqual([
      { path: "pending[0]", kind: "add" },
      { path: "pending[1]", kind: "add" },
    ]);
  });

  it("is planned again for another database, but not for another connection to it", () => {
    const news = { ...inputs, database: "store", password: "new", host: "elsewhere" };
    expect(diffPending({ inputs, outputs: {} }, news, ["database", "folder"])).toEqual([
      { path: "database", kind: "update" },
    ]);
  });

  it("shows no changes of a state compared with itself, but does after another query", () => {
    const done = { ...inputs, ...pendingInputs({ known: true, names: ["a", "b"] }) };
    expect(diffPending({ inputs: done, outputs: {} }, done, ["database"])).toEqual([]);
    const askedAgain = { ...inputs, ...pendingInputs({ known: true, names: ["a", "b"] }) };
    expect(diffPending({ inputs: done, outputs: {} }, askedAgain, ["database"])).toHaveLength(2);
  });

  it("changes the outputs if someone changed the database outside the stack", () => {
    const asked = { ...inputs, ...pendingInputs({ known: true, names: [], applied: ["a", "b"] }) };
    expect(diffPending({ inputs, outputs: { applied: ["a"] } }, asked, ["database"])).toEqual([
      { path: "applied", kind: "update", input: false },
    ]);
    expect(diffPending({ inputs, outputs: { applied: ["a", "b"] } }, asked, ["database"])).toEqual([]);
  });
});
