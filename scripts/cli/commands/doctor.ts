import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { type Connection, describeConnection, inDatabase } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { Ignored, Sifted } from "../../doctor/baseline.ts";
import type { ServerOutput } from "../../model/stack-outputs.ts";
import { action, type CommandContext } from "../context.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "../options.ts";
import { givenConnection, resolveTargets, type TargetOptions } from "../target.ts";
import { describeDiagnosis } from "./doctor-text.ts";

interface DoctorOptions extends TargetOptions {
  role: string;
  sarif?: boolean;
  json?: boolean;
  only?: string[];
  ignore?: string[];
  baseline?: string;
  writeBaseline?: string;
  failOn: FailLevel;
}

/** Levels that can fail the command, from the most severe. */
const failLevels = ["error", "warning", "unknown", "info"] as const;
type FailLevel = (typeof failLevels)[number];

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "look for problems in a server and its databases, and print the SQL that removes them; changes nothing (exit code " +
        "5 on errors, 4 on warnings and on checks without an answer)",
    )
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .option("-r, --role <name>", "role that logs in to the stack: superuser, monitor or another", "superuser")
    .option("--only <checks>", "names of the checks to run, separated by commas", list)
    .option("--ignore <key>", "key of a finding to leave out; can be repeated", collect)
    .option("--baseline <file>", "file with keys of findings to leave out, each with a reason")
    .option(
      "--write-baseline <file>",
      "write all findings to a baseline file; it keeps the reasons of those it already has",
    )
    .addOption(
      new Option("--fail-on <level>", "least severe level that fails the command")
        .choices(failLevels)
        .default("unknown"),
    )
    .addOption(jsonOption())
    .addOption(new Option("--sarif", "print the result as SARIF 2.1.0").conflicts("json"))
    .action(action<DoctorOptions, []>(doctor));
}

async function doctor(context: CommandContext, options: DoctorOptions) {
  const { diagnose, selectChecks } = await import("../../doctor/diagnose.ts");
  const { readBaseline, sift, writeBaseline } = await import("../../doctor/baseline.ts");
  const { only, ignore = [], baseline, writeBaseline: target, failOn } = options;
  if (baseline !== undefined && target !== undefined)
    throw new OperationError("--baseline and --write-baseline exclude each other.", { exitCode: exitCode.usage });
  // Before the server is asked: a misspelled check or a missing file needs no connection.
  selectChecks(only);
  const accepted = baseline === undefined ? [] : await readBaseline(resolve(baseline));
  const typed = ignore.map((key): Ignored => ({ key, reason: "--ignore" }));
  const { connections, recorded, server } = await targetOf(context, options);
  const { recordedStatements } = await import("../../doctor/recorded-statements.ts");
  const diagnosis = await diagnose(connections, {
    recordedStatements: () => recordedStatements(context.root, recorded, server),
    ...(only === undefined ? {} : { only }),
  });
  if (target !== undefined) {
    const path = resolve(target);
    const existing = existsSync(path) ? await readBaseline(path) : [];
    writeBaseline(path, diagnosis.findings, existing, new Date());
    context.out.note(`${diagnosis.findings.length} findings written to ${path}`);
  }
  const written = target === undefined ? [] : await readBaseline(resolve(target));
  const sifted = sift(diagnosis, [...accepted, ...written, ...typed]);
  if (options.sarif === true) {
    const { sarif } = await import("../../doctor/sarif.ts");
    context.out.answer(null, () => JSON.stringify(sarif(sifted, packageJson.version), null, 2));
  } else {
    const label = connections.map(describeConnection).join(", ");
    context.out.answer(sifted, () => describeDiagnosis(sifted, label));
  }
  return codeOf(sifted, failOn);
}

/** Returns the exit code: as for all commands that report a state, if the worst level is one that fails the command. */
function codeOf({ findings, checks }: Sifted, failOn: FailLevel) {
  const has: Record<FailLevel, boolean> = {
    error: findings.some(({ level }) => level === "error"),
    warning: findings.some(({ level }) => level === "warning"),
    unknown: checks.some(({ unknown }) => unknown.length > 0),
    info: findings.some(({ level }) => level === "info"),
  };
  const failing = failLevels.slice(0, failLevels.indexOf(failOn) + 1).find((level) => has[level]);
  if (failing === undefined) return exitCode.done;
  return failing === "error" ? exitCode.wrong : exitCode.pending;
}

interface DoctorTarget {
  connections: Connection[];
  /** Databases whose history can exist. */
  recorded: Connection[];
  /** The stack's server; undefined if only a connection is known. */
  server: ServerOutput | undefined;
}

/** Returns the target: any PostgreSQL by URL or environment, without a folder in migrations/, else the stack's. */
async function targetOf(context: CommandContext, { role, ...options }: DoctorOptions): Promise<DoctorTarget> {
  const given = givenConnection(context, options);
  if (given !== undefined) {
    const connections = [options.database === undefined ? given : inDatabase(given, options.database)];
    return { connections, recorded: connections, server: undefined };
  }
  const targets = await resolveTargets(context, options, role);
  const { database, ...all } = options;
  const others = database === undefined ? [] : await resolveTargets(context, all, role);
  const connections = targets.map(({ connection }) => connection);
  const recorded = [...connections, ...others.map(({ connection }) => connection)];
  return { connections, recorded, server: targets[0]?.server };
}

function list(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("expected names of checks, separated by commas.");
  return names;
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}
