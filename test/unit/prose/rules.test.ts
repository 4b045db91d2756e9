import { describe, expect, it } from "vitest";
import { breachesIn } from "../../prose/rules.ts";

const long = `// ${"x".repeat(118)}`;

describe("the check of comments", () => {
  it.each(["What", "Whether", "How", "Who", "Where", "When", "Of", "By"])(
    "fails on a doc comment that begins with %s, on one line and on several",
    (word) => {
      const message = `a doc comment begins with "${word}": begin with a verb, or name the thing`;
      expect(breachesIn(`\n/** ${word} it is. */\nexport const a = 1;\n`)).toEqual([{ line: 2, message }]);
      expect(breachesIn(`interface A {\n  /**\n   * ${word} it is.\n   */\n  a: 1;\n}\n`)).toEqual([
        { line: 2, message },
      ]);
    },
  );

  it("fails on a comment line of more than 120 columns in any kind of comment", () => {
    const message = "a comment's line has 121 columns of 120";
    expect(breachesIn(`${long}\n`)).toEqual([{ line: 1, message }]);
    expect(breachesIn(`/**\n * Returns it.\n *${"x".repeat(119)}\n */\nconst a = 1;\n`)).toEqual([
      { line: 3, message },
    ]);
    expect(breachesIn(`const a = [\n${long}\n];\n`)).toEqual([{ line: 2, message }]);
    expect(breachesIn(`const a = 1;\n${long}`)).toEqual([{ line: 2, message }]);
    expect(breachesIn(`/* It is\n\n${"x".repeat(118)} */\nconst a = 1;\n`)).toEqual([{ line: 3, message }]);
  });

  it("accepts comments that begin with a verb or a name, other comments, and text that looks like a comment", () => {
    const text =
      "/** Returns what it is. */\nconst a = 1;\n// What it is.\nconst b = `/** What it is. */ $A /** How */`;\n";
    expect(breachesIn(text.replace("$A", () => "$" + "{a}"))).toEqual([]);
    expect(breachesIn("/** Whatever. */\nconst c = /[/**] What/;\n")).toEqual([]);
  });
});
