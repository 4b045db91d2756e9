import { describe, expect, it } from "vitest";
import { spread } from "../../support/alternating-sequencer.ts";

const file = (project: string, seconds: number) => ({ project, seconds });
const names = (files: readonly { project: string; seconds: number }[]) =>
  spread(files, (each) => each).map(({ project, seconds }) => `${project} ${seconds}`);

describe("the order of test files", () => {
  it("starts with the longest file of each project, and each project's other files follow by length", () => {
    expect(names([file("a", 1), file("a", 5), file("b", 2), file("b", 9)])).toEqual(["b 9", "a 5", "b 2", "a 1"]);
  });

  it("spreads the files of a project over the whole run, however many or long the others' are", () => {
    const many = Array.from({ length: 6 }, () => file("many", 1));
    const order = names([...many, file("few", 50), file("few", 50)]);
    expect(order.indexOf("few 50")).toBeLessThan(2);
    expect(order.lastIndexOf("few 50")).toBe(4);
  });
});
