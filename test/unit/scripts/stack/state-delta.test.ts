import { describe, expect, it } from "vitest";
import { withoutBrokenDeltas } from "../../../../scripts/stack/recover/state-deltas.ts";
import { deltaKey, deltaMisfit } from "../../../../scripts/stack/state-delta.ts";
import { recordedResourcesOf } from "../../../recorded-resources.ts";
import { deltaOf } from "../../../support/official-docker/state-delta.ts";

const states = [...(await recordedResourcesOf("docker")), ...(await recordedResourcesOf("postgresql"))];
const bridged = states.filter(({ outputs }) => deltaKey in outputs);

describe("the delta that official plugins store with the outputs", () => {
  it.each(bridged)("fits the recorded outputs of $name ($type)", ({ outputs }) => {
    expect(deltaMisfit(outputs)).toBeUndefined();
  });

  it.each(bridged.filter(({ type }) => type.startsWith("docker:")))(
    "equals for $name ($type) the one that the tests' plugin writes",
    ({ outputs }) => {
      const { [deltaKey]: _, ...values } = outputs;
      expect(deltaMisfit({ ...values, [deltaKey]: deltaOf(values) })).toBeUndefined();
    },
  );

  it.each([
    ["a map that became null", { map: {} }, null, "value is no map"],
    ["a list that became null", { arr: {} }, null, "value is no list"],
    ["a list that lost the element it describes", { arr: { el: { 1: { obj: {} } } } }, [{}], "value[1] is not there"],
    ["an object that became text", { obj: {} }, "x", "value is no object"],
    ["a map that it does not mention", undefined, {}, "value is a map or an object"],
    ["an object in a list that it does not mention", { arr: {} }, [{}], "value[0] is a map or an object"],
    ["a value within a block", { plu: { i: { obj: { ps: { a: { arr: {} } } } } } }, { a: null }, "value.a is no list"],
  ])("does not fit %s", (_what, delta, value, reason) => {
    const ps = delta === undefined ? {} : { value: delta };
    expect(deltaMisfit({ value, [deltaKey]: { obj: { ps } } })).toBe(reason);
  });

  it.each([
    ["an optional block that is absent", { plu: { i: { obj: {} } } }, null],
    [
      "a value that is encrypted",
      { arr: {} },
      { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" },
    ],
    ["text beside what it describes", undefined, "x"],
  ])("fits %s", (_what, delta, value) => {
    expect(
      deltaMisfit({ value, [deltaKey]: { obj: { ps: delta === undefined ? {} : { value: delta } } } }),
    ).toBeUndefined();
  });

  it("is removed from a state only if it does not fit", () => {
    const whole = { urn: "a", type: "t", outputs: { a: {}, [deltaKey]: { obj: { ps: { a: { map: {} } } } } } };
    const broken = { urn: "b", type: "t", outputs: { a: null, [deltaKey]: { obj: { ps: { a: { map: {} } } } } } };
    const state = { version: 3, deployment: { resources: [whole, broken, { urn: "c", type: "t" }] } };
    expect(withoutBrokenDeltas(state)).toEqual({
      version: 3,
      deployment: { resources: [whole, { ...broken, outputs: { a: null } }, { urn: "c", type: "t" }] },
    });
  });
});
