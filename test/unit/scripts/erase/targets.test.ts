import { describe, expect, it } from "vitest";
import { eraseTargets } from "../../../../scripts/erase/targets.ts";
import { OperationError } from "../../../../scripts/errors/operation-error.ts";

/** What is said and advised where the names mean nothing certain. */
function refusal(names: readonly string[], stack: string, databases: readonly string[]): string {
  try {
    eraseTargets(names, stack, databases);
  } catch (error) {
    if (error instanceof OperationError) return `${error.text} (${error.exitCode})`;
    throw error;
  }
  return "";
}

describe("a name that is typed to be erased", () => {
  it("means the stack where it is the stack's own", () => {
    expect(eraseTargets(["local"], "local", ["shop"])).toEqual({ stack: true, databases: [] });
    expect(eraseTargets(["stack:local"], "local", ["shop"])).toEqual({ stack: true, databases: [] });
  });

  it("means a database of the stack, each once", () => {
    const names = ["shop", "database:depot", "shop"];
    expect(eraseTargets(names, "local", ["depot", "shop"])).toEqual({ stack: false, databases: ["shop", "depot"] });
  });

  it("is refused where it is both, unless it says which", () => {
    expect(refusal(["shop"], "shop", ["shop"])).toBe(
      '"shop" is both the stack and a database of it.\n  Say which is to be erased: --erase stack:shop, or --erase database:shop. (2)',
    );
    expect(eraseTargets(["database:shop"], "shop", ["shop"])).toEqual({ stack: false, databases: ["shop"] });
    expect(eraseTargets(["stack:shop"], "shop", ["shop"])).toEqual({ stack: true, databases: [] });
  });

  it("is refused where there is nothing of that name, with what there is", () => {
    expect(refusal(["shpo"], "local", ["depot", "shop"])).toBe(
      'Stack "local" has no database "shpo". It has: depot, shop.\n  Name one of them, or the stack itself to erase everything of it: --erase local. (2)',
    );
    expect(refusal(["database:local"], "local", [])).toMatch(
      /^Stack "local" has no database "local"\. It has none\.\n/,
    );
  });

  it("is refused where it is another stack's, whatever is typed before it", () => {
    expect(refusal(["stack:ci"], "local", ["ci"])).toBe(
      '"ci" is not the stack that is meant: that is "local".\n  Name the stack with --stack ci, too. (2)',
    );
  });

  it("is refused as a whole where one of several means nothing", () => {
    expect(refusal(["shop", "nothing"], "local", ["shop"])).toMatch(/^Stack "local" has no database "nothing"\./);
  });
});
