import { describe, expect, it } from "vitest";
import { deepFreeze } from "../../../../scripts/client/freeze.ts";

describe("a frozen value", () => {
  it("may contain itself", () => {
    const row: { self?: unknown; list: unknown[] } = { list: [] };
    row.self = row;
    row.list.push(row.list, row);
    deepFreeze(row);
    expect(() => row.list.push(1)).toThrow(TypeError);
    expect(() => Object.assign(row, { other: 1 })).toThrow(TypeError);
  });

  it("may be nested deeper than calls can be", () => {
    let nested: { inner?: unknown } = {};
    for (let depth = 0; depth < 100_000; depth += 1) nested = { inner: nested };
    expect(Object.isFrozen(deepFreeze(nested).inner)).toBe(true);
  });

  it("has maps and sets that cannot be changed, and can be frozen again", () => {
    const map = new Map([["a", { list: [1] }]]);
    const set = new Set([[1]]);
    for (const _ of [1, 2]) deepFreeze({ map, set });
    for (const change of [() => map.set("b", { list: [] }), () => map.delete("a"), () => map.clear()])
      expect(change).toThrow("Change a copy");
    for (const change of [() => set.add([]), () => set.clear()]) expect(change).toThrow("Change a copy");
    expect(() => map.get("a")?.list.push(2)).toThrow(TypeError);
    expect(() => [...set][0]?.push(2)).toThrow(TypeError);
    expect([[...map.keys()], set.size]).toEqual([["a"], 1]);
  });

  it("freezes the content of what is frozen already", () => {
    const list = [1];
    deepFreeze(Object.freeze({ list }));
    expect(() => list.push(2)).toThrow(TypeError);
  });
});
