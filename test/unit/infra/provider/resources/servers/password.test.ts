import { describe, expect, it } from "vitest";
import { password } from "../../../../../../infra/provider/resources/servers/password.ts";
import { unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { contextOf } from "../../call-context.ts";

const context = contextOf("Password");
const create = (preview = false) => password.create(context, { keeper: "1" }, preview);

describe("a generated password", () => {
  it("has 43 characters that need no quoting, and differs each time", async () => {
    const [one, two] = [await create(), await create()];
    expect(one.outputs.result).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(two.outputs.result).not.toBe(one.outputs.result);
  });

  it("is unknown in a preview", async () => {
    expect((await create(true)).outputs).toEqual({ keeper: "1", result: unknownValue });
  });

  it("is kept while its rotation trigger is the same, also over refreshes", async () => {
    const made = await create();
    const old = { ...made, inputs: { keeper: "1" } };
    expect(await password.diff(context, old, { keeper: "1" })).toEqual({ changes: [] });
    expect(await password.read(context, old)).toEqual(old);
  });

  it("is replaced in place when its rotation trigger changes", async () => {
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

  it("has a rotation trigger even if the program gives none, and no other input", async () => {
    expect(await password.check(context, { other: 1 }, undefined)).toEqual({ inputs: { keeper: "" } });
  });
});
