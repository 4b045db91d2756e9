import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { alertmanagerPort, heartbeatAlert, testAlert } from "../model/alerts.ts";

/** Alertmanager of a stack, reached in its container, since it has no port outside. */
export interface Alertmanager {
  docker: Docker;
  /** Name or id of the container. */
  container: string;
  /** Default: the one of the kit's containers. */
  port?: number;
}

/** Numbers of Alertmanager's attempts to send messages by one way to one receiver. */
export interface Attempts {
  all: number;
  failed: number;
  /** Messages that it does not try to send again, by Alertmanager's word for the reason, such as `clientError`. */
  refused: Readonly<Record<string, number>>;
}

/**
 * Runs a command of amtool.
 *
 * @throws OperationError with the end of its error output
 */
export async function amtool(
  { docker, container, port = alertmanagerPort }: Alertmanager,
  args: readonly string[],
): Promise<string> {
  const command = ["amtool", `--alertmanager.url=http://127.0.0.1:${port}`, ...args];
  const { code, stdout, stderr } = await runInContainer(docker, container, { command });
  if (code !== 0) {
    const said = stderr.trim().split("\n").at(-1) || `amtool ended with ${code}`;
    throw new OperationError(`Alertmanager in the container ${container} did not answer: ${said}`, {
      hint: "Its log has the reason: `docker logs`.",
    });
  }
  return stdout.trim();
}

/**
 * Counts the attempts of a receiver, by integration (`email`, `webhook`, `slack`).
 *
 * @throws OperationError if Alertmanager does not answer
 */
export async function attemptsOf({ docker, container, port = alertmanagerPort }: Alertmanager, receiver: string) {
  const command = ["http-get", String(port), "/metrics"];
  const { code, stdout } = await runInContainer(docker, container, { command });
  if (code !== 0) throw new OperationError(`Alertmanager in the container ${container} does not answer.`);
  return attemptsIn(stdout, receiver);
}

/** Reads the attempts of a receiver from Alertmanager's metrics. */
export function attemptsIn(metrics: string, receiver: string): Map<string, Attempts> {
  const found = new Map<string, Attempts>();
  for (const [, name, text = "", value] of metrics.matchAll(/^alertmanager_notification(\w+)\{(.*)\} (\S+)$/gm)) {
    const labels = Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, given]) => [label, given]));
    const { integration, reason = "" } = labels;
    if (integration === undefined || labels.receiver_name !== receiver) continue;
    const attempts = found.get(integration) ?? { all: 0, failed: 0, refused: {} };
    const count = Number(value);
    if (name === "_requests_total") attempts.all = count;
    else if (name === "_requests_failed_total") attempts.failed = count;
    else if (name === "s_failed_total") attempts.refused = { ...attempts.refused, [reason]: count };
    else continue;
    found.set(integration, attempts);
  }
  return found;
}

/** Alerts that are never silenced. */
const neverSilenced = [heartbeatAlert, testAlert];

/**
 * Silences alerts that begin from now on. Alerts that people already know of are not silenced: Alertmanager never
 * reports the end of an alert that ends while it is silenced.
 *
 * @param known names of alerts that are not silenced, from {@link knownAlerts}
 * @returns the silence's id
 */
export function addSilence(
  alertmanager: Alertmanager,
  { known, comment, seconds }: { known: readonly string[]; comment: string; seconds: number },
): Promise<string> {
  const names = [...new Set([...neverSilenced, ...known])].map((name) => name.replaceAll(/\W/g, "."));
  // Alertmanager refuses a silence whose matchers all match a missing label.
  const matchers = ['alertname=~".+"', `alertname!~"${names.join("|")}"`];
  const options = ["--author=pgroundwork", `--comment=${comment}`, `--duration=${seconds}s`];
  return amtool(alertmanager, ["silence", "add", ...options, ...matchers]);
}

/** Returns the names of alerts that are firing and not silenced. */
export async function knownAlerts(alertmanager: Alertmanager): Promise<string[]> {
  const alerts = JSON.parse(await amtool(alertmanager, ["alert", "query", "--output=json"])) as {
    labels: Record<string, string>;
  }[];
  return [...new Set(alerts.map(({ labels }) => labels.alertname ?? ""))].filter((name) => name !== "");
}

export async function expireSilence(alertmanager: Alertmanager, id: string): Promise<void> {
  await amtool(alertmanager, ["silence", "expire", id]);
}
