import type { BackupFinding } from "../../../backup/findings.ts";
import { type ExitCode, exitCode } from "../../../core/operation-error.ts";
import { style } from "../../output.ts";

/** Returns the exit code of a list with findings. */
export function codeOf(findings: readonly BackupFinding[]): ExitCode {
  if (findings.some(({ level }) => level === "wrong")) return exitCode.wrong;
  return findings.length > 0 ? exitCode.failed : exitCode.done;
}

/** Describes findings, one line each, with their hints. */
export function describeFindings(findings: readonly BackupFinding[]): string[] {
  return findings.length === 0 ? ["no problems found"] : findings.flatMap(line);
}

function line({ level, text, hint }: BackupFinding): string[] {
  const word = level === "wrong" ? style("red", "wrong") : style("yellow", "unknown");
  return [`${word}     ${text}`, ...(hint === undefined ? [] : [`          ${hint}`])];
}
