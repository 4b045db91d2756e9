import type { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { commandLine, runCommandLine } from "../../../../../scripts/cli/commands/command-line.ts";
import { action } from "../../../../../scripts/cli/context.ts";
import { OperationError } from "../../../../../scripts/core/operation-error.ts";
import { EngineFailure } from "../../../../../scripts/stack/engine-failure.ts";

/** Returns the paths of all commands that have `--json`. */
function commandsWithJson(command: Command, path: readonly string[] = []): string[][] {
  return command.commands.flatMap((child) => {
    const here = [...path, child.name()];
    const own = child.options.some(({ long }) => long === "--json") ? [here] : [];
    return [...own, ...commandsWithJson(child, here)];
  });
}

const commands = commandsWithJson(await commandLine());

let stdout: string;
let typed: string[];
let code: typeof process.exitCode;

beforeEach(() => {
  [stdout, typed, code] = ["", process.argv, process.exitCode];
  // Listeners of the command line would stay in this process.
  for (const emitter of [process, process.stdout, process.stderr]) vi.spyOn(emitter, "on").mockReturnThis();
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
});
afterEach(() => {
  [process.argv, process.exitCode] = [typed, code];
  vi.restoreAllMocks();
});

/** Runs the command line in this process, and returns the only JSON value on stdout and the exit code. */
async function run(...args: string[]): Promise<{ value: unknown; exit: typeof process.exitCode }> {
  process.argv = ["node", "pgw", ...args];
  await runCommandLine();
  return { value: JSON.parse(stdout), exit: process.exitCode };
}

/** Runs an action as `pgw … --json` does. */
async function act(work: Parameters<typeof action>[0]): Promise<{ value: unknown; exit: typeof process.exitCode }> {
  const { Command: Program } = await import("commander");
  const program = new Program().option("--json").action(action(work));
  await program.parseAsync(["--json"], { from: "user" });
  return { value: JSON.parse(stdout), exit: process.exitCode };
}

describe("wrong usage with --json", () => {
  it("covers more than thirty commands of the command line", () => expect(commands.length).toBeGreaterThan(30));

  it.each(commands.map((path) => [path.join(" "), path] as const))(
    "is one JSON value on stdout: %s",
    async (_name, path) => {
      const { value, exit } = await run(...path, "--json", "--no-such-option");
      expect(value).toEqual({ error: { message: "unknown option '--no-such-option'", hint: null, code: 2 } });
      expect(exit).toBe(2);
    },
  );

  it("has commander's suggestion as its hint", async () => {
    const { value } = await run("migrate", "statsu", "--json");
    expect(value).toEqual({
      error: { message: "unknown command 'statsu'", hint: "(Did you mean status?)", code: 2 },
    });
  });

  it("is text only if --json belongs to another program", async () => {
    process.argv = ["node", "pgw", "psql", "--no-such-option", "--", "--json"];
    await runCommandLine();
    expect(stdout).toBe("");
  });
});

describe("a command with --json", () => {
  it("prints its answer once, even if it answers before it ends", async () => {
    const { value, exit } = await act(async ({ out }) => {
      out.answer({ applied: 1 }, () => "1 applied");
      out.say("a line for people");
      return undefined;
    });
    expect([value, exit]).toEqual([{ applied: 1 }, 0]);
  });

  it("prints a confirmation that was not given as an error with its hint", async () => {
    const { value, exit } = await act(() => {
      throw new OperationError("Needs a confirmation.", { hint: "Add --yes.", exitCode: 3 });
    });
    expect([value, exit]).toEqual([{ error: { message: "Needs a confirmation.", hint: "Add --yes.", code: 3 } }, 3]);
  });

  it("prints a bug of the kit as an error, and no password", async () => {
    const { value } = await act(() => {
      throw new TypeError("cannot read postgresql://me:hunter22@host/shop");
    });
    expect(value).toMatchObject({
      error: {
        message: "cannot read postgresql://me:[secret]@host/shop",
        hint: expect.stringContaining("bug"),
        code: 1,
      },
    });
  });

  it("prints the engine's messages, which a person has read on stderr by then", async () => {
    const { value } = await act(() => {
      throw new EngineFailure('up of stack "local" failed.', ["port 5432 is in use", "port 5432 is in use"], true);
    });
    expect(value).toMatchObject({ error: { message: 'up of stack "local" failed.\nport 5432 is in use' } });
  });

  it("prints its answer and the error in one object if it fails after the answer", async () => {
    const { value, exit } = await act(async ({ out }) => {
      out.answer({ stack: "local" }, () => "up");
      throw new OperationError("The .env file cannot be read.");
    });
    expect(value).toEqual({
      stack: "local",
      error: { message: "The .env file cannot be read.", hint: null, code: 1 },
    });
    expect(exit).toBe(1);
  });
});
