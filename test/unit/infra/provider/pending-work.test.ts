import { describe, expect, it } from "vitest";
import { diffPending, type Pending, pendingInputs } from "../../../../infra/provider/pending-work.ts";

const inputs = { host: "db", port: 5432, database: "shop", user: "ann", password: "old" };

describe("what is pending", () => {
  it.each<[string, Pending, string[]]>([
    ["by name", { known: true, names: ["a", "b"] }, ["a", "b"]],
    ["as nothing", { known: true, names: [] }, []],
    [
      "as the reason why it is not known",
      { known: false, reason: "server is down" },
      ["pending unknown, server is down"],
    ],
  ])("stands among the inputs %s", (_how, pending, names) => {
    expect(pendingInputs(pending).pending).toEqual(names);
  });

  it("is a change for each name", () => {
    expect(diffPending({ inputs, outputs: {} }, { ...inputs, pending: ["a", "b"] }, ["database"])).toEqual([
      { path: "pending[0]", kind: "add" },
      { path: "pending[1]", kind: "add" },
    ]);
  });

  it("comes with another place to do it in, and not with another way there", () => {
    const news = { ...inputs, database: "store", password: "new", host: "elsewhere" };
    expect(diffPending({ inputs, outputs: {} }, news, ["database", "folder"])).toEqual([
      { path: "database", kind: "update" },
    ]);
  });

  it("is done where a state is compared with itself, and not where it was asked again", () => {
    const done = { ...inputs, ...pendingInputs({ known: true, names: ["a", "b"] }) };
    expect(diffPending({ inputs: done, outputs: {} }, done, ["database"])).toEqual([]);
    const askedAgain = { ...inputs, ...pendingInputs({ known: true, names: ["a", "b"] }) };
    expect(diffPending({ inputs: done, outputs: {} }, askedAgain, ["database"])).toHaveLength(2);
  });

  it("is a change of the outputs where somebody worked on the database beside the stack", () => {
    const asked = { ...inputs, ...pendingInputs({ known: true, names: [], applied: ["a", "b"] }) };
    expect(diffPending({ inputs, outputs: { applied: ["a"] } }, asked, ["database"])).toEqual([
      { path: "applied", kind: "update", input: false },
    ]);
    expect(diffPending({ inputs, outputs: { applied: ["a", "b"] } }, asked, ["database"])).toEqual([]);
  });
});
