import { describe, expect, it } from "vitest";
import { hardIdentifiersIn } from "../../prose/identifiers.ts";

const messages = (text: string) => hardIdentifiersIn(text).map(({ line, message }) => `${line}: ${message}`);

describe("the check of names", () => {
  it.each([
    ["const remedy = 1;", "1: the name remedy is hard to read: hint"],
    ["\nfunction engineRemedies() {}", "2: the name engineRemedies is hard to read: hint"],
    ["class A { #standIns = []; }", "1: the name #standIns is hard to read: fallback provider"],
    ["interface HTTPWayBack { x: 1 }", "1: the name HTTPWayBack is hard to read: down migration"],
    ["f({ passwordKeeper: 1 });", "1: the name passwordKeeper is hard to read: passwordVersion, or rotation trigger"],
    ["const [TAKEN_BACK] = [];", "1: the name TAKEN_BACK is hard to read: recover, or restore"],
  ])("reports the identifier in %o", (text, message) => {
    expect(messages(text)).toEqual([message]);
  });

  it("accepts longer words, strings, comments, and names that others have given", () => {
    const text = [
      "// a remedy, a witness",
      'const outstanding = "remedy"; const insideStand = `confinement`;',
      "const gracefully = keeper(back); const { trustBundle, destroyGraceSeconds } = options;",
    ];
    expect(messages(text.join("\n"))).toEqual([]);
  });
});
