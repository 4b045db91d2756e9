import { describe, expect, it } from "vitest";
import { OperationError } from "../../../../../scripts/core/operation-error.ts";
import { eraseTargets as targetsAmong } from "../../../../../scripts/stack/erase/targets.ts";

const eraseTargets = (names: readonly string[], stack: string, databases: readonly string[]) =>
  targetsAmong(names, stack, databases, ["ci", "dev", "local"]);

/** Returns the error and hint for ambiguous names. */
function refusal(names: readonly string[], stack: string, databases: readonly string[]): string {
  try {
    eraseTargets(names, stack, databases);
  } catch (error) {
    if (error instanceof OperationError) return `${error.text} (${error.exitCode})`;
    throw error;
  }
  return "";
}

describe("a name given to --erase", () => {
  it("means the stack if it is the name of the stack", () => {
    expect(eraseTargets(["local"], "local", ["shop"])).toEqual({ stack: true, databases: [] });
    expect(eraseTargets(["stack:local"], "local", ["shop"])).toEqual({ stack: true, databases: [] });
  });

  it("means a database of the stack, each one once", () => {
    const names = ["shop", "database:depot", "shop"];
    expect(eraseTargets(names, "local", ["depot", "shop"])).toEqual({ stack: false, databases: ["shop", "depot"] });
  });

  it("is refused if it means both, unless a prefix says which", () => {
    expect(refusal(["shop"], "shop", ["shop"])).toBe(
      '"shop" is the name of the stack and of one of its databases.\n  Name one of them: --erase stack:shop or --erase database:shop. (2)',
    );
    expect(eraseTargets(["database:shop"], "shop", ["shop"])).toEqual({ stack: false, databases: ["shop"] });
    expect(eraseTargets(["stack:shop"], "shop", ["shop"])).toEqual({ stack: true, databases: [] });
  });

  it("is refused if it means nothing, with the names that exist", () => {
    expect(refusal(["shpo"], "local", ["depot", "shop"])).toBe(
      'Stack "local" has no database "shpo". It has: depot, shop.\n  Name one of them. Nothing was erased. (2)',
    );
    expect(refusal(["database:local"], "local", [])).toMatch(
      /^Stack "local" has no database "local"\. It has none\.\n/,
    );
  });

  it("is refused if it means another stack, with any prefix", () => {
    expect(refusal(["stack:ci"], "local", ["ci"])).toBe(
      '--erase names the stack "ci", but the command works on the stack "local".\n  Add --stack ci. (2)',
    );
    expect(refusal(["dev"], "local", ["shop"])).toBe(
      '--erase names the stack "dev", but the command works on the stack "local".\n  Add --stack dev. (2)',
    );
    expect(refusal(["database:dev"], "local", ["shop"])).toMatch(/^Stack "local" has no database "dev"\./);
  });

  it("is refused with all others if one of them means nothing", () => {
    expect(refusal(["shop", "nothing"], "local", ["shop"])).toMatch(/^Stack "local" has no database "nothing"\./);
  });
});
