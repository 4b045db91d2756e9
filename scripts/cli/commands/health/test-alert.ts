import { type Command, InvalidArgumentError } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { upCommand } from "../../../model/command-lines.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { outputsOf } from "../../stack.ts";
import { table } from "../../table.ts";

interface TestAlertOptions {
  stack?: string;
  timeout?: number;
}

/** Limit in seconds for the answers of all receivers. */
const usualTimeout = 20;

export function registerTestAlert(health: Command): void {
  health
    .command("test-alert")
    .description(
      "send a test alert to every receiver of a stack, and show whether each accepted it (exit code 5 if one did not)",
    )
    .addOption(stackOption())
    .option("--timeout <seconds>", `time to wait for the receivers (default: ${usualTimeout})`, seconds)
    .addOption(jsonOption())
    .action(action<TestAlertOptions, []>(testAlert));
}

async function testAlert(context: CommandContext, { stack = localStack, timeout = usualTimeout }: TestAlertOptions) {
  const { server, monitoring } = await outputsOf(context, stack, false);
  const container = monitoring?.alertmanager;
  if (server.kind !== "docker" || container === undefined)
    throw new OperationError(`Stack "${stack}" sends its alerts to no one.`, {
      hint: "Set email, webhook or slack in pgroundwork:monitoring, under `alerts`, and run `up`.",
      exitCode: exitCode.usage,
    });
  const { withDocker } = await import("../../../docker/client.ts");
  const { isRunning } = await import("../../../docker/server/running.ts");
  const { sendTestAlert } = await import("../../../health/alert-test.ts");
  const { projectName } = await import("../../../stack/project.ts");
  const labels = { project: await projectName(context.root), stack };
  const tested = await withDocker(server.dockerHost, async (docker) => {
    if (!(await isRunning(docker, container)))
      throw new OperationError(`Alertmanager does not run: the container ${container} is stopped or gone.`, {
        hint: `Run \`${upCommand(stack)}\`.`,
      });
    return sendTestAlert({ docker, container }, { labels, timeoutMs: timeout * 1_000, signal: context.signal });
  });
  const isAccepted = tested.length > 0 && tested.every(({ accepted }) => accepted);
  context.out.answer({ stack, accepted: isAccepted, receivers: tested }, () =>
    table(
      ["receiver", "result", "reason"],
      tested.map(({ channel, accepted, reason = "" }) => [
        channel,
        accepted ? style("green", "accepted") : style("red", "not accepted"),
        reason,
      ]),
    ),
  );
  return isAccepted ? exitCode.done : exitCode.wrong;
}

function seconds(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 600) throw new InvalidArgumentError("expected a whole number of seconds from 1 to 600.");
  return number;
}
