import type { Command } from "commander";
import { exitCode } from "../../core/operation-error.ts";
import type { EngineStatus } from "../../pulumi/engine-status.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { readyEngine } from "../engine.ts";
import { jsonOption, stackOption } from "../options.ts";
import { asTyped } from "../typed-line.ts";

export function registerEngine(program: Command): void {
  const engine = program.command("engine").description("manage the Pulumi engine and its provider plugins");
  engine
    .command("status")
    .description("show the engine, its source and its plugins (exit code 5 if something is missing)")
    .addOption(jsonOption())
    .action(
      action<object, []>(async (context) => {
        const { engineStatus } = await import("../../pulumi/engine-status.ts");
        const status = await engineStatus(context.root, context.env);
        context.out.answer(status, () => describeStatus(status));
        const complete = status.engine.state === "present" && status.languageHost.state === "present";
        return complete && status.plugins.every(({ use }) => use !== "missing") ? exitCode.done : exitCode.wrong;
      }),
    );
  engine
    .command("install")
    .description("install what `up` needs ahead of time; if downloads are blocked, build it")
    .addOption(jsonOption())
    .action(
      action<object, []>(async (context) => {
        await readyEngine(context, { quiet: true, retryPlugins: true, project: false });
        const { engineStatus } = await import("../../pulumi/engine-status.ts");
        const status = await engineStatus(context.root, context.env);
        context.out.answer(status, () => describeStatus(status));
        return exitCode.done;
      }),
    );
  engine
    .command("env")
    .description(
      asTyped('print shell commands that set up the shell for `pulumi`: eval "$(npm run -s pgw -- engine env)"'),
    )
    .addOption(stackOption())
    .action(
      action<{ stack?: string }, []>(async (context, { stack = localStack }) => {
        const { shellExports } = await import("../../core/shell.ts");
        const engine = await readyEngine(context);
        const { root } = context;
        const { requireStackSecrets } = await import("../../stack/stack-secrets.ts");
        const { passphraseVariables } = await import("../../stack/passphrase.ts");
        requireStackSecrets({ engine, root, name: stack });
        const { backendVariables, overruledBackend } = await import("../../stack/backend.ts");
        const ofStack = {
          ...backendVariables(root, stack, context.env),
          ...passphraseVariables(root, stack, context.env),
        };
        const overruled = overruledBackend(root, stack, context.env);
        if (overruled !== undefined)
          context.out.note(`${overruled} This shell now uses it. For another stack, use another shell.`);
        if (stack === localStack && context.env.PULUMI_CONFIG_PASSPHRASE !== undefined) {
          context.out.note(
            "PULUMI_CONFIG_PASSPHRASE is unset in this shell: the local stack has its own passphrase. " +
              "For another stack: engine env --stack NAME, in a shell that has its passphrase.",
          );
        }
        process.stdout.write(shellExports({ ...engine.environment, ...ofStack }, engine.pathPrefix));
        return exitCode.done;
      }),
    );
}

function describeStatus(status: EngineStatus): string {
  const { engine, languageHost } = status;
  const where = (component: EngineStatus["languageHost"]) =>
    component.state === "present" ? `${component.path} (${component.source})` : `absent: ${component.hint}`;
  return [
    `engine         ${engine.version ?? ""} ${where(engine)}`.replaceAll(/ {2,}absent/g, " absent"),
    `language host  ${where(languageHost)}`,
    ...status.plugins.map(({ name, version, use, reason }) => `plugin         ${name} ${version}: ${use}, ${reason}`),
    `PULUMI_HOME    ${status.home}`,
    `cache          ${status.cache}`,
    ...status.rejected.map((reason) => `skipped        ${reason}`),
  ].join("\n");
}
