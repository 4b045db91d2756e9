import { describe, expect, it } from "vitest";
import { inOrder, type Place } from "../../support/alternating-sequencer.ts";

const file = (project: string, seconds?: number): Place => ({ project, seconds });
const names = (...files: Place[]) =>
  inOrder(files, (each) => each).map(({ project, seconds = "short" }) => `${project} ${seconds}`);

describe("the order of test files", () => {
  it("starts with the longest file of each project, and each project's other files follow by length", () => {
    expect(names(file("a", 1), file("a", 5), file("b", 2), file("b", 9))).toEqual(["b 9", "a 5", "b 2", "a 1"]);
  });

  it("spreads the long files of a project over those of all, however many or long the others' are", () => {
    const many = Array.from({ length: 6 }, () => file("many", 10));
    const order = names(...many, file("few", 50), file("few", 50));
    expect(order.indexOf("few 50")).toBeLessThan(2);
    expect(order.lastIndexOf("few 50")).toBe(4);
  });

  it("has the short files of each project in a row: of unit before the long files, of others after them", () => {
    expect(names(file("unit"), file("a"), file("b", 10), file("b"), file("a"), file("unit"))).toEqual([
      ...["unit short", "unit short", "b 10"],
      ...["a short", "a short", "b short"],
    ]);
  });
});
