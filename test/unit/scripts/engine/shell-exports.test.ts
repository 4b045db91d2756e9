import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellExports, shellQuote } from "../../../../scripts/engine/shell-exports.ts";

test.each([["plain"], [""], ["with space"], ["it's"], ['"$HOME" `id` \\ $(id)'], ["two\nlines"], ["''"]])(
  "a shell reads %j back as it was",
  (value) => {
    expect(execFileSync("/bin/sh", ["-c", `printf %s ${shellQuote(value)}`], { encoding: "utf8" })).toBe(value);
  },
);

test("the lines give a shell the variables and put the folders before its own PATH", () => {
  const lines = shellExports({ PATH: "/ignored", PULUMI_HOME: "/a b/it's" }, ["/first one", "/second"]);
  expect(lines).toBe(`export PATH='/first one:/second'":$PATH"\nexport PULUMI_HOME='/a b/it'\\''s'\n`);
  const script = `eval "$1"; printf '%s|%s' "$PATH" "$PULUMI_HOME"`;
  const env = { PATH: "/usr/bin:/bin" };
  expect(execFileSync("/bin/sh", ["-c", script, "sh", lines], { encoding: "utf8", env })).toBe(
    "/first one:/second:/usr/bin:/bin|/a b/it's",
  );
});

test("without folders PATH is left alone", () => {
  expect(shellExports({ PATH: "/x", A: "1" }, [])).toBe("export A='1'\n");
});
