import struct_pb from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, it } from "vitest";
import { decode, encode, isUnknown, unknownValue } from "../../../../infra/provider-protocol/values.ts";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const struct = (values: object) =>
  struct_pb.Struct.fromJavaScript(values as Parameters<typeof struct_pb.Struct.fromJavaScript>[0]);

describe("received values", () => {
  it("are plain, with a list of the secret properties and of every secret text", () => {
    const wire = { open: "a", one: secret("b"), many: ["c", secret({ d: "e", f: [1, "g", ""] })], empty: secret("") };
    const decoded = decode(struct(wire));
    expect(decoded.values).toEqual({ open: "a", one: "b", many: ["c", { d: "e", f: [1, "g", ""] }], empty: "" });
    expect([...decoded.secretKeys].sort()).toEqual(["empty", "many", "one"]);
    expect(decoded.secrets.sort()).toEqual(["b", "e", "g"]);
  });

  it("have the value of an environment entry as a separate secret, but not the internal copies of inputs", () => {
    const decoded = decode(struct({ envs: [secret("TOKEN=abc=d")], __inputs: secret({ path: "/srv" }) }));
    expect(decoded.secrets.sort()).toEqual(["TOKEN=abc=d", "abc=d"]);
    expect([...decoded.secretKeys].sort()).toEqual(["__inputs", "envs"]);
  });

  it("of other types than text can be secret, too", () => {
    const decoded = decode(struct({ number: secret(1), flag: secret(false), nothing: secret(null) }));
    expect(decoded.values).toEqual({ number: 1, flag: false, nothing: null });
    expect([...decoded.secretKeys].sort()).toEqual(["flag", "nothing", "number"]);
  });

  it("are empty if nothing is sent", () => {
    expect(decode(undefined)).toEqual({ values: {}, secretKeys: new Set(), secrets: [] });
  });
});

describe("sent values", () => {
  it("are sealed if they are named, and left out if they are undefined", () => {
    expect(encode({ a: 1, b: [true, null], c: undefined, d: "x" }, ["b", "absent"]).toJavaScript()).toEqual({
      a: 1,
      b: secret([true, null]),
      d: "x",
    });
  });

  it("are received unchanged", () => {
    const values = { text: "ä€", number: 1.5, list: [{ a: null }], flag: false, empty: {}, unknown: unknownValue };
    const { values: back, secretKeys } = decode(encode(values, ["list"]));
    expect(back).toEqual(values);
    expect([...secretKeys]).toEqual(["list"]);
  });
});

it("a value is unknown if any part of it is, whatever its type", () => {
  expect(isUnknown(unknownValue)).toBe(true);
  expect(isUnknown("3eeb2bf0-c639-47a8-9e75-3b44932eb421")).toBe(true);
  expect(isUnknown({ a: [1, { b: unknownValue }] })).toBe(true);
  expect(isUnknown({ a: [1, "b", null] })).toBe(false);
  expect(isUnknown(undefined)).toBe(false);
});
