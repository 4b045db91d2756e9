import { describe, expect, it } from "vitest";
import { inOrder, type Place } from "../../support/alternating-sequencer.ts";

const file = (folder: string, seconds?: number): Place => ({ folder, seconds });
const names = (...files: Place[]) =>
  inOrder(files, (each) => each).map(({ folder, seconds = "short" }) => `${folder} ${seconds}`);

describe("the order of test files", () => {
  it("starts with the longest file of each folder, and each folder's other files follow by length", () => {
    expect(names(file("a", 1), file("a", 5), file("b", 2), file("b", 9))).toEqual(["b 9", "a 5", "b 2", "a 1"]);
  });

  it("spreads the long files of a folder over those of all, however many or long the others' are", () => {
    const many = Array.from({ length: 6 }, () => file("many", 10));
    const order = names(...many, file("few", 50), file("few", 50));
    expect(order.indexOf("few 50")).toBeLessThan(2);
    expect(order.lastIndexOf("few 50")).toBe(4);
  });

  it("has all unit tests in a row before the long files, and the short files of other folders after those", () => {
    expect(names(file("a"), file("unit"), file("b", 10), file("unit", 20), file("b"))).toEqual([
      ...["unit short", "unit 20", "b 10"],
      ...["a short", "b short"],
    ]);
  });
});
