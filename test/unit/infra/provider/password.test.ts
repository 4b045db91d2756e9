import { describe, expect, it } from "vitest";
import { unknownValue } from "../../../../infra/plugin/values.ts";
import { password } from "../../../../infra/provider/password.ts";
import { contextOf } from "./call-context.ts";

const context = contextOf("Password");
const create = (preview = false) => password.create(context, { keeper: "1" }, preview);

describe("a generated password", () => {
  it("is 43 characters that need no quoting, another one each time", async () => {
    const [one, two] = [await create(), await create()];
    expect(one.outputs.result).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(two.outputs.result).not.toBe(one.outputs.result);
  });

  it("is a secret", () => {
    expect(password.secretOutputs).toEqual(["result"]);
  });

  it("is not known in a preview", async () => {
    expect((await create(true)).outputs).toEqual({ keeper: "1", result: unknownValue });
  });

  it("is kept while its keeper is the same, over refreshes too", async () => {
    const made = await create();
    const old = { ...made, inputs: { keeper: "1" } };
    expect(await password.diff(context, old, { keeper: "1" })).toEqual({ changes: [] });
    expect(await password.read(context, old)).toEqual(old);
  });

  it("is made anew in place when its keeper changes", async () => {
    const made = await create();
    const old = { ...made, inputs: { keeper: "1" } };
    expect(await password.diff(context, old, { keeper: "2" })).toEqual({
      changes: [{ path: "keeper", kind: "update" }],
    });
    expect(await password.update(context, old, { keeper: "2" }, true)).toEqual({ keeper: "2", result: unknownValue });
    const rotated = await password.update(context, old, { keeper: "2" }, false);
    expect(rotated.keeper).toBe("2");
    expect(rotated.result).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(rotated.result).not.toBe(made.outputs.result);
  });

  it("has a keeper even where the program names none, and nothing else", async () => {
    expect(await password.check(context, { other: 1 }, undefined)).toEqual({ inputs: { keeper: "" } });
  });
});
