import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { ensureEngine } from "../../../../scripts/pulumi/ensure-engine.ts";
import { engineFolder } from "../../../../scripts/pulumi/locations.ts";
import type { Progress } from "../../../../scripts/pulumi/progress.ts";
import { platformName } from "../../../../scripts/pulumi/versions.ts";
import { Machine } from "./fake-toolchain.ts";

let machine: Machine;
let running: ChildProcess[];
beforeEach(() => {
  machine = new Machine();
  running = [];
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  machine.remove();
});

/** A progress line or, at the end, the result. */
type Line = Partial<Progress> & { source?: string };

/** Starts a second process of the kit on the same machine. */
function startProcess(): { child: ChildProcess; lines: Line[]; ended: Promise<void> } {
  const program = join(import.meta.dirname, "ensure-process.ts");
  const child = spawn(process.execPath, [program, machine.root], {
    env: machine.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  const lines: Line[] = [];
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((part): Line => JSON.parse(part)));
  });
  const ended = new Promise<void>((done) => {
    child.on("close", () => done());
  });
  return { child, lines, ended };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

function failure(): Promise<OperationError> {
  return ensureEngine({ root: machine.root, env: machine.env }).then(
    () => expect.fail("there should be no engine"),
    (error: unknown) => (error instanceof OperationError ? error : Promise.reject(error)),
  );
}

const cacheOf = () => join(machine.base, "home/.cache/pgroundwork");

test("without engine, network and Go, the error lists each way, its reason and what to do", async () => {
  // Hides any Go that the real machine has in /usr/bin.
  machine.env.PATH = machine.bin;
  const error = await failure();
  expect(error.message).toBe(
    [
      `No Pulumi engine >=3.259.0 <4 (${platformName()}):`,
      "  - PATH: no pulumi",
      `  - cache: nothing in ${engineFolder(machine.env)}`,
      "  - download: PGW_OFFLINE is set",
      "  - build: go is not on PATH",
    ].join("\n"),
  );
  expect(error.hint).toBe(
    "Install Pulumi so that `pulumi` and `pulumi-language-nodejs` are on PATH (https://www.pulumi.com/docs/install/), " +
      "or Go 1.25.11 or newer with access to a Go module proxy, then run this again.",
  );
});

test("a Go that is too old is reported with its version", async () => {
  machine.installGo(0, "go1.22.3");
  expect((await failure()).message).toContain(
    "  - build: go on PATH is 1.22.3, required is 1.25.11 or newer and GOTOOLCHAIN=local forbids fetching it",
  );
});

test("a cache that cannot be created is reported with a hint", async () => {
  machine.installGo();
  machine.env.XDG_CACHE_HOME = machine.write("a file", "");
  const error = await failure();
  expect(error.message).toBe(
    `Cannot write the cache folder ${machine.base}/a file/pgroundwork: ` +
      `ENOTDIR: not a directory, mkdir '${machine.base}/a file/pgroundwork'`,
  );
  expect(error.hint).toBe("Make it writable for this user, or set XDG_CACHE_HOME to a writable folder.");
});

test("a failed build quotes Go's last words without the proxy's password, and leaves nothing behind", async () => {
  machine.installGo();
  const go = readFileSync(join(machine.bin, "go"), "utf8").split("\n").slice(0, 2).join("\n");
  machine.write("bin/go", `${go}\necho 'reading https://me:secret@proxy.test/x: 410 Gone' >&2\nexit 1\n`, 0o755);
  expect((await failure()).message).toContain(
    "  - build: go build ended with 1: reading https://proxy.test/x: 410 Gone",
  );
  expect(existsSync(engineFolder(machine.env))).toBe(false);
  expect(readdirSync(join(cacheOf(), "staging"))).toEqual([]);
});

test("a built engine is kept in the cache and used from then on", async () => {
  machine.installGo();
  const first = await ensureEngine({ root: machine.root, env: machine.env });
  expect(first).toMatchObject({
    pulumi: join(engineFolder(machine.env), "bin/pulumi"),
    languageHost: join(engineFolder(machine.env), "bin/pulumi-language-nodejs"),
    version: "3.259.0",
    source: "build",
  });
  rmSync(join(machine.bin, "go"));
  expect(await ensureEngine({ root: machine.root, env: machine.env })).toEqual(first);
  expect(machine.builds).toBe(2);
});

test("the cache is recognized on PATH, where `engine env` puts it", async () => {
  machine.installGo();
  const { environment } = await ensureEngine({ root: machine.root, env: machine.env });
  const again = await ensureEngine({ root: machine.root, env: { ...machine.env, ...environment } });
  expect(again.source).toBe("build");
  expect(again.environment.PATH).toBe(environment.PATH);
});

test("an engine on PATH without a language host is used with the kit's language host", async () => {
  machine.installGo();
  const pulumi = machine.script("bin/pulumi", "echo v3.300.0");
  const installation = await ensureEngine({ root: machine.root, env: machine.env });
  expect(installation).toMatchObject({ pulumi, version: "3.300.0", source: "path" });
  expect(installation.languageHost).toBe(
    join(cacheOf(), `language-host/3.50.0-${platformName()}/bin/pulumi-language-nodejs`),
  );
  expect(machine.builds).toBe(1);
});

test("a truncated engine in the cache is reported and built again", async () => {
  machine.installGo();
  const { pulumi } = await ensureEngine({ root: machine.root, env: machine.env });
  const { size } = statSync(pulumi);
  truncateSync(pulumi, 10);
  const news: Progress[] = [];
  await ensureEngine({ root: machine.root, env: machine.env, onProgress: (progress) => news.push(progress) });
  expect(news[0]?.detail).toBe(`PATH: no pulumi; cache: ${pulumi} has 10 bytes instead of ${size}`);
  expect(machine.builds).toBe(4);
});

test("a cached engine of the right size that no longer runs is reported and built again", async () => {
  machine.installGo();
  const { pulumi } = await ensureEngine({ root: machine.root, env: machine.env });
  writeFileSync(pulumi, "#!/bin/sh\nexit 1\n".padEnd(statSync(pulumi).size, "#"));
  const news: Progress[] = [];
  await ensureEngine({ root: machine.root, env: machine.env, onProgress: (progress) => news.push(progress) });
  expect(news[0]?.detail).toMatch(`PATH: no pulumi; cache: ${pulumi} does not run: `);
  expect(machine.builds).toBe(4);
});

test("an engine folder that was only half filled is not used", async () => {
  machine.installGo();
  machine.script(`home/.cache/pgroundwork/engine/3.259.0-${platformName()}/bin/pulumi`, "echo v3.259.0");
  expect((await ensureEngine({ root: machine.root, env: machine.env })).source).toBe("build");
  expect(machine.builds).toBe(2);
});

test("a second process waits for the first and builds nothing", async () => {
  machine.installGo(4);
  const first = startProcess();
  await until(() => existsSync(join(machine.base, "builds")));
  const second = startProcess();
  await Promise.all([first.ended, second.ended]);
  expect(first.lines.at(-1)?.source).toBe("build");
  expect(second.lines.at(-1)?.source).toBe("build");
  expect(machine.builds).toBe(2);
  const waiting = second.lines.filter(({ step }) => step?.startsWith("waiting"));
  // The line has no pid before the first process has written it.
  expect(waiting).toContainEqual(
    expect.objectContaining({
      step: "waiting for another process that is preparing the Pulumi engine",
      detail: `pid ${first.child.pid}`,
    }),
  );
});

test("a run killed during its build does not block the next run, which removes what it left", async () => {
  machine.installGo(600);
  const first = startProcess();
  await until(() => existsSync(join(machine.base, "go.pid")));
  first.child.kill("SIGKILL");
  await first.ended;
  const orphan = Number(readFileSync(join(machine.base, "go.pid"), "utf8"));
  process.kill(orphan, "SIGKILL");
  const [leftover] = readdirSync(join(cacheOf(), "staging"));
  expect(leftover).toBeDefined();
  machine.installGo();
  const { source } = await ensureEngine({ root: machine.root, env: machine.env });
  expect(source).toBe("build");
  expect(readdirSync(cacheOf()).sort()).toEqual(["engine", "staging"]);
  expect(readdirSync(join(cacheOf(), "staging"))).toEqual([]);
});

test("a build can be cancelled, and the next run starts again", async () => {
  machine.installGo(600);
  const stop = new AbortController();
  const build = ensureEngine({ root: machine.root, env: machine.env, signal: stop.signal });
  const outcome = expect(build).rejects.toThrow("The operation was aborted");
  await until(() => existsSync(join(machine.base, "go.pid")));
  stop.abort();
  await outcome;
  machine.installGo();
  expect((await ensureEngine({ root: machine.root, env: machine.env })).source).toBe("build");
});
