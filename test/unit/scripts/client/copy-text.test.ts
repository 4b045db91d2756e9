import { describe, expect, it } from "vitest";
import { requireCopy } from "../../../../scripts/client/copy-text.ts";

describe("the statement of a COPY", () => {
  it.each([
    "copy t from stdin",
    "COPY t (a, b)\nFROM STDIN WITH (format csv, null 'x; to stdout');",
    "-- a comment\n/* copy; */ copy \"from ; t\" from stdin where a <> ';'",
    "copy t from stdin where a <> $$it's; (all) here$$",
  ])("is accepted by copyFrom: %s", (text) => {
    expect(() => requireCopy(text, "copyFrom")).not.toThrow();
    expect(() => requireCopy(text, "copyTo")).toThrow("copyTo() runs one COPY … TO STDOUT, and the statement is: ");
  });

  it.each([
    "copy t to stdout",
    "copy (select a, E'\\'; from stdin' from t where b in (1, (2))) to stdout with (format csv)",
    "copy (select 'a (' from t) to stdout",
  ])("is accepted by copyTo: %s", (text) => {
    expect(() => requireCopy(text, "copyTo")).not.toThrow();
    expect(() => requireCopy(text, "copyFrom")).toThrow("copyFrom() runs one COPY … FROM STDIN");
  });

  it.each([
    "",
    "insert into t values ('copy t from stdin')",
    "copy t from '/tmp/stdin'",
    "copy t from program 'cat stdin'",
    "insert into t values (1); copy t from stdin",
    "copy t from stdin; copy t to stdout",
    "copy (select 1 from stdin) to '/tmp/file'",
  ])("is refused in both directions: %s", (text) => {
    expect(() => requireCopy(text, "copyFrom")).toThrow("copyFrom() runs one COPY … FROM STDIN");
    expect(() => requireCopy(text, "copyTo")).toThrow("copyTo() runs one COPY … TO STDOUT");
  });
});
