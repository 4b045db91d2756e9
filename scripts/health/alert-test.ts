import { randomUUID } from "node:crypto";
import { poll } from "../core/poll.ts";
import { redact } from "../core/redact.ts";
import { lastLogLines } from "../docker/container-log.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { type AlertChannel, alertChannels, alertReceivers, testAlert } from "../model/alerts.ts";
import { type Alertmanager, type Attempts, amtool, attemptsOf } from "./alertmanager.ts";

/** Result of the test alert at one receiver. */
export interface TestedChannel {
  channel: AlertChannel;
  /** True if the receiver accepted the message. What it did with it afterwards is not known. */
  accepted: boolean;
  /** Reason why it was not accepted. */
  reason?: string;
}

const pollIntervalMs = 300;
/** Number of log lines that are searched for the reason of a failure. */
const logLines = 500;
const none: Attempts = { all: 0, failed: 0, refused: {} };

/**
 * Sends a test alert to every receiver, and waits until each has accepted it, has refused it, or the time is up.
 *
 * @param labels labels that Prometheus adds to every alert of the stack
 * @throws OperationError if Alertmanager does not answer
 */
export async function sendTestAlert(
  alertmanager: Alertmanager,
  {
    labels,
    timeoutMs,
    signal,
  }: { labels: Readonly<Record<string, string>>; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<TestedChannel[]> {
  const before = await attemptsOf(alertmanager, alertReceivers.test);
  const since = await timeOf(alertmanager);
  // Distinguishes it from earlier tests, since Alertmanager does not repeat a message.
  const id = randomUUID();
  const all = { ...labels, severity: "test", test: id };
  await amtool(alertmanager, [
    ...["alert", "add", testAlert],
    ...Object.entries(all).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    `--annotation=summary=${JSON.stringify("This is a test. Nothing is wrong.")}`,
    `--annotation=value=${JSON.stringify(`test ${id}`)}`,
    `--annotation=description=${JSON.stringify("It was sent by `pgw health test-alert`.")}`,
  ]);
  const deadline = performance.now() + timeoutMs;
  const attempts = await poll(
    async () => {
      const now = await attemptsOf(alertmanager, alertReceivers.test);
      const made = new Map([...now].map(([integration, count]) => [integration, less(count, before.get(integration))]));
      const isDone = [...made.values()].every((count) => count.all > count.failed || refusalOf(count) !== undefined);
      return (isDone && made.size > 0) || performance.now() > deadline ? made : undefined;
    },
    { intervalMs: pollIntervalMs, signal },
  );
  const log = await lastLogLines(alertmanager.docker, alertmanager.container, logLines);
  return alertChannels.flatMap((channel): TestedChannel[] => {
    const count = attempts.get(channel);
    if (count === undefined) return [];
    if (count.all > count.failed) return [{ channel, accepted: true }];
    const seconds = Math.round(timeoutMs / 1_000);
    const reason = reasonIn(log, channel, since) ?? refusalOf(count) ?? `no result within ${seconds} s`;
    return [{ channel, accepted: false, reason: redact(reason) }];
  });
}

/** Returns the time of the container's clock, in the notation of Alertmanager's log. */
async function timeOf({ docker, container }: Alertmanager): Promise<string> {
  const command = ["date", "--utc", "+%Y-%m-%dT%H:%M:%S"];
  return (await runInContainer(docker, container, { command })).stdout.trim();
}

function less(count: Attempts, before: Attempts = none): Attempts {
  const refused = Object.entries(count.refused).map(([reason, number]) => [
    reason,
    number - (before.refused[reason] ?? 0),
  ]);
  return {
    all: count.all - before.all,
    failed: count.failed - before.failed,
    refused: Object.fromEntries(refused) as Record<string, number>,
  };
}

/** Alertmanager's words for reasons. Its log has more, but only once every receiver has answered. */
const refusals: Readonly<Record<string, string>> = {
  clientError: "it refused the message (HTTP status 4xx)",
  serverError: "it failed (HTTP status 5xx)",
};

/** Returns why Alertmanager does not try again, or undefined if it does. */
function refusalOf({ refused }: Attempts): string | undefined {
  const reason = Object.keys(refused).find((each) => (refused[each] ?? 0) > 0);
  return reason === undefined ? undefined : (refusals[reason] ?? "it refused the message");
}

/**
 * Returns the last error that Alertmanager's log has for a way to send test alerts. It leaves URLs out of its errors.
 *
 * @param since time in Alertmanager's own notation
 */
export function reasonIn(log: string, channel: string, since: string): string | undefined {
  const errors = log.split("\n").flatMap((line) => {
    const time = line.match(/^time=(\S+)/)?.[1] ?? "";
    const error = line.match(/ err=("(?:[^"\\]|\\.)*"|\S+)/)?.[1];
    if (time < since || error === undefined) return [];
    const text = error.startsWith('"') ? error.slice(1, -1).replaceAll(/\\(["\\])/g, "$1") : error;
    const isAttempt = line.includes(`receiver=${alertReceivers.test} integration=${channel}[`);
    // An attempt that is not repeated has its own line, with all that failed for the alert.
    const final = text.match(new RegExp(`\\b${alertReceivers.test}/${channel}\\[\\d+\\]: (.*)`))?.[1];
    return final !== undefined ? [final] : isAttempt ? [text] : [];
  });
  return errors.at(-1)?.replace(/^notify retry canceled.* after \d+ attempts: /, "");
}
