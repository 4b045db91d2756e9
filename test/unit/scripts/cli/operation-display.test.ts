import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandContext } from "../../../../scripts/cli/context.ts";
import { OperationDisplay } from "../../../../scripts/cli/operation-display.ts";
import { Output } from "../../../../scripts/cli/output.ts";
import { showStep } from "../../../../scripts/cli/step.ts";
import { EventStream } from "../../../../scripts/stack/event-stream.ts";

const prefix = "urn:pulumi:dev::pgroundwork::pgroundwork:components:DockerServer$";
const image = `${prefix}docker:index/image:Image::server-image`;
const network = `${prefix}docker:index/network:Network::server-network`;

/** Lines of the engine's event stream. */
const metadata = (urn: string, op: string) => ({
  op,
  urn,
  type: urn.split("$")[1]?.split("::")[0],
  diffs: null,
  detailedDiff: null,
  old: null,
  new: { inputs: {}, outputs: {} },
});
const begins = (urn: string, op = "create") => ({ resourcePreEvent: { metadata: metadata(urn, op) } });
const ends = (urn: string, op = "create") => ({ resOutputsEvent: { metadata: metadata(urn, op) } });
const fails = (urn: string) => ({ resOpFailedEvent: { metadata: metadata(urn, "create") } });
const says = (urn: string, message: string, ephemeral = true) => ({
  diagnosticEvent: { urn, message: `${message}\n`, severity: "info", color: "never", ephemeral },
});

let stdout: string;
let stderr: string;
let out: Output;
let display: OperationDisplay;
let stream: EventStream;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  [stdout, stderr] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  out = new Output(true);
  const log = { info: () => undefined };
  display = new OperationDisplay(
    { out, log, signal: new AbortController().signal } as unknown as CommandContext,
    "up",
    "dev",
  );
  stream = new EventStream(display.onEvent, false, display.onProgress);
});
afterEach(() => {
  display.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const read = (...events: object[]) => {
  for (const event of events) stream.line(JSON.stringify(event));
};

describe("the progress of an operation without a terminal", () => {
  it("is one line every 15 s with the step that runs, its time, the count and the last line of a build", () => {
    display.open();
    read(begins(network), ends(network), begins(image));
    vi.advanceTimersByTime(14_000);
    expect(stderr).toBe("");
    read(says(image, "step 2 of 3: RUN apt-get update"));
    vi.advanceTimersByTime(1_000);
    read(says(image, "step 2 of 3: Setting up libpq5"));
    vi.advanceTimersByTime(60_000);
    const step = (second: string, line: string) =>
      `up dev (${second}): 1 done; creating server-image (${second}): step 2 of 3: ${line}\n`;
    expect(stderr).toBe(
      [
        step("15 s", "RUN apt-get update"),
        ...["30 s", "45 s", "1 min 0 s", "1 min 15 s"].map((second) => step(second, "Setting up libpq5")),
      ].join(""),
    );
    expect(stdout).toBe("");
  });

  it("names the step that has run longest, and how many others run", () => {
    display.open();
    read(begins(image));
    vi.advanceTimersByTime(10_000);
    read(begins(network, "same"), begins(`${network}-2`));
    vi.advanceTimersByTime(5_000);
    expect(stderr).toBe("up dev (15 s): creating server-image (15 s) and 2 more\n");
    read(fails(image), ends(`${network}-2`));
    vi.advanceTimersByTime(15_000);
    expect(stderr).toContain("up dev (30 s): 2 done; checking server-network (20 s)\n");
  });

  it("says that nothing has begun, or that no step runs", () => {
    display.open();
    vi.advanceTimersByTime(15_000);
    read(begins(image), ends(image));
    vi.advanceTimersByTime(15_000);
    expect(stderr).toBe("up dev (15 s): starting\nup dev (30 s): 1 done; waiting for the next step\n");
  });

  it("is nothing for a short operation, and after its end", () => {
    display.open();
    read(begins(image));
    vi.advanceTimersByTime(14_000);
    display.close();
    vi.advanceTimersByTime(60_000);
    expect(stderr).toBe("");
  });

  it("has no password and no control characters of a status", () => {
    display.open();
    read(begins(image), says(image, "\u001B[1mcloning postgresql://me:hunter22@host/shop\u001B[0m\r\n"));
    vi.advanceTimersByTime(15_000);
    expect(stderr).toContain(": cloning postgresql://me:[secret]@host/shop\n");
  });

  it("keeps messages, which are no status", () => {
    display.open();
    read(begins(image), says(image, "applied 000001.sql in 3 ms", false));
    expect(stderr).toContain("server-image: applied 000001.sql in 3 ms\n");
  });
});

describe("the progress of an operation on a terminal", () => {
  const { isTTY } = process.stderr;
  const clearLine = () => {
    stderr += "<cleared>";
  };
  const terminal = { cursorTo: () => stderr.length, clearLine };
  beforeEach(() => {
    vi.stubEnv("TERM", "xterm");
    vi.stubEnv("CI", undefined);
    Object.assign(process.stderr, { isTTY: true, columns: 0, ...terminal });
  });
  afterEach(() => {
    display.close();
    for (const name of Object.keys(terminal)) Reflect.deleteProperty(process.stderr, name);
    process.stderr.isTTY = isTTY;
    vi.unstubAllEnvs();
  });

  it("is one line that is written again in place, and gone before a message", async () => {
    display.open();
    read(begins(image));
    // The line appears as soon as the module that draws it is loaded.
    await import("yocto-spinner");
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(2_000);
    expect(stderr).toContain("up dev: creating server-image");
    expect(stderr).toContain("up dev (2 s): creating server-image (2 s)");
    read(says(image, `step 1 of 3: ${"long ".repeat(30)}`));
    expect(stderr).toMatch(/\(2 s\): step 1 of 3: (long )+l?o?n?g?…/);
    const lines = stderr.split("\n").filter((line) => line.includes("up dev"));
    expect(lines.slice(1).every((line) => line.includes("<cleared>"))).toBe(true);
    stderr = "";
    read(says(image, "a message", false));
    expect(stderr).toMatch(/<cleared>.*server-image:.* a message\n$/s);
    expect(stdout).toBe("");
  });
});

describe("a step of a command without a terminal", () => {
  it("is printed when it begins and again every 15 s, until the answer", () => {
    showStep(out, "making a backup");
    vi.advanceTimersByTime(31_000);
    out.answer({}, () => "");
    vi.advanceTimersByTime(60_000);
    expect(stderr).toBe("making a backup\nmaking a backup (15 s)\nmaking a backup (30 s)\n");
  });

  it("is replaced by the next one, and is printed late if it does not announce itself", () => {
    showStep(out, "one");
    vi.advanceTimersByTime(5_000);
    showStep(out, "two", { announce: false });
    vi.advanceTimersByTime(16_000);
    out.endStep();
    expect(stderr).toBe("one\ntwo (15 s)\n");
  });
});
