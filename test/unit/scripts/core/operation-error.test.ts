import { expect, it } from "vitest";
import { exitCode, OperationError } from "../../../../scripts/core/operation-error.ts";

it("an operation error shows what happened, and a hint below it", () => {
  expect(new OperationError("It broke.").text).toBe("It broke.");
  expect(new OperationError("It broke.", { hint: "Mend it." }).text).toBe("It broke.\n  Mend it.");
});

it("an operation error has exit code 1 by default, and keeps its cause", () => {
  const cause = new Error("deep");
  expect(new OperationError("It broke.", { cause })).toMatchObject({ exitCode: 1, cause, name: "OperationError" });
  expect(new OperationError("It broke.", { exitCode: exitCode.usage }).exitCode).toBe(2);
  expect("cause" in new OperationError("It broke.")).toBe(false);
});
