import type { Command } from "commander";
import type { EngineStatus } from "../engine/engine-status.ts";
import { exitCode } from "../errors/operation-error.ts";
import { readyEngine } from "./cli/engine.ts";
import { jsonOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";

export function registerEngine(program: Command): void {
  const engine = program.command("engine").description("the Pulumi engine and its provider plugins");
  engine
    .command("status")
    .description("which engine, from where, and which plugins (exit code 5 where something is missing)")
    .addOption(jsonOption())
    .action(
      action<object, []>(async (run) => {
        const { engineStatus } = await import("../engine/engine-status.ts");
        const status = await engineStatus(run.root, run.env);
        run.out.answer(status, () => describeStatus(status));
        const complete = status.engine.state === "present" && status.languageHost.state === "present";
        return complete && status.plugins.every(({ use }) => use !== "missing") ? exitCode.done : exitCode.wrong;
      }),
    );
  engine
    .command("install")
    .description("make ready ahead of time whatever `up` needs: download, or build where downloads are blocked")
    .addOption(jsonOption())
    .action(
      action<object, []>(async (run) => {
        await readyEngine(run, { quiet: true, retryPlugins: true });
        const { engineStatus } = await import("../engine/engine-status.ts");
        const status = await engineStatus(run.root, run.env);
        run.out.answer(status, () => describeStatus(status));
        return exitCode.done;
      }),
    );
  engine
    .command("env")
    .description('shell lines for `pulumi` typed by hand: eval "$(npm run -s pgw -- engine env)"')
    .action(
      action<object, []>(async (run) => {
        const { shellExports } = await import("../engine/shell-exports.ts");
        const { environment, pathPrefix } = await readyEngine(run);
        process.stdout.write(shellExports(environment, pathPrefix));
        return exitCode.done;
      }),
    );
}

function describeStatus(status: EngineStatus): string {
  const { engine, languageHost } = status;
  const where = (component: EngineStatus["languageHost"]) =>
    component.state === "present" ? `${component.path} (${component.source})` : `absent: ${component.remedy}`;
  return [
    `engine         ${engine.version ?? ""} ${where(engine)}`.replaceAll(/ {2,}absent/g, " absent"),
    `language host  ${where(languageHost)}`,
    ...status.plugins.map(({ name, version, use, reason }) => `plugin         ${name} ${version}: ${use}, ${reason}`),
    `PULUMI_HOME    ${status.home}`,
    `cache          ${status.cache}`,
    ...status.rejected.map((reason) => `passed over    ${reason}`),
  ].join("\n");
}
