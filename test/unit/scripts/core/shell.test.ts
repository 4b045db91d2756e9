import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellExports, shellQuote } from "../../../../scripts/core/shell.ts";

test.each([["plain"], [""], ["with space"], ["it's"], ['"$HOME" `id` \\ $(id)'], ["two\nlines"], ["''"]])(
  "a quoted value is read by the shell unchanged: %j",
  (value) => {
    expect(execFileSync("/bin/sh", ["-c", `printf %s ${shellQuote(value)}`], { encoding: "utf8" })).toBe(value);
  },
);

test("shell exports set the variables and put the folders before PATH", () => {
  const lines = shellExports({ PATH: "/ignored", PULUMI_HOME: "/a b/it's" }, ["/first one", "/second"]);
  expect(lines).toBe(`export PATH='/first one:/second'":$PATH"\nexport PULUMI_HOME='/a b/it'\\''s'\n`);
  const script = `eval "$1"; printf '%s|%s' "$PATH" "$PULUMI_HOME"`;
  const env = { PATH: "/usr/bin:/bin" };
  expect(execFileSync("/bin/sh", ["-c", script, "sh", lines], { encoding: "utf8", env })).toBe(
    "/first one:/second:/usr/bin:/bin|/a b/it's",
  );
});

test("shell exports without folders do not change PATH", () => {
  expect(shellExports({ PATH: "/x", A: "1" }, [])).toBe("export A='1'\n");
});

test("shell exports unset an undefined variable", () => {
  expect(shellExports({ A: undefined, B: "" }, [])).toBe("unset A\nexport B=''\n");
});
