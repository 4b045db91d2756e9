import type { Server, sendUnaryData } from "@grpc/grpc-js";

/*
 * Only the engine can lock a stack in every backend, against every other project directory that uses it. An operation
 * takes the lock and then runs the program. So the check takes the program's part. It runs while the operation holds
 * the lock, and if it fails, the engine stops before it changes anything.
 */

/**
 * Makes the engine run a check as its program, under the stack's lock and before it changes anything.
 *
 * @param operate runs the engine with these additional arguments
 * @throws the error of the check, or else the error of the operation
 */
export async function withCheckUnderLock<T>(
  check: () => Promise<void>,
  operate: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const failures: unknown[] = [];
  const passes = async () => {
    failures.length = 0;
    await check().catch((error: unknown) => failures.push(error));
    return failures.length === 0;
  };
  const { server, port } = await serve(passes);
  try {
    return await operate(["--run-program", "--skip-config-validation", `--client=127.0.0.1:${port}`]);
  } catch (error) {
    throw failures.length > 0 ? failures[0] : error;
  } finally {
    server.forceShutdown();
  }
}

/**
 * Runs work under the stack's lock. The engine changes nothing, and its operation ends after the work.
 *
 * @param operate runs an operation of the engine that calls this check under the stack's lock
 * @throws the error of the work, or the error of the operation if it failed before the work began
 */
export async function workUnderLock<T>(
  work: () => Promise<T>,
  operate: (check: () => Promise<void>) => Promise<unknown>,
): Promise<T> {
  const ends = new Error("The work under the lock is done.");
  let working: Promise<T> | undefined;
  try {
    await operate(async () => {
      working = work();
      await working;
      throw ends;
    });
  } catch (error) {
    // An interrupted engine does not wait for the work.
    if (working !== undefined) return working;
    throw error;
  }
  throw ends;
}

/**
 * Serves the engine as the language host of a program that declares nothing.
 *
 * @param run takes the program's part; returns true if the operation may continue
 */
async function serve(run: () => Promise<boolean>): Promise<{ server: Server; port: number }> {
  const { Server: GrpcServer, ServerCredentials } = await import("../pulumi/shared-packages.ts");
  const { default: service } = await import("@pulumi/pulumi/proto/language_grpc_pb.js");
  const { default: messages } = await import("@pulumi/pulumi/proto/language_pb.js");
  const { default: plugins } = await import("@pulumi/pulumi/proto/plugin_pb.js");
  const server = new GrpcServer();
  server.addService(service.LanguageRuntimeService, {
    // Without an error in the response, the engine prints nothing in addition to the check's messages.
    run: answerWith(async () => new messages.RunResponse().setBail(!(await run()))),
    getRequiredPlugins: answerWith(async () => new messages.GetRequiredPluginsResponse()),
    getRequiredPackages: answerWith(async () => new messages.GetRequiredPackagesResponse()),
    getPluginInfo: answerWith(async () => new plugins.PluginInfo()),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}

function answerWith<T>(work: () => Promise<T>) {
  return (_call: unknown, answer: sendUnaryData<T>) => {
    work().then(
      (response) => answer(null, response),
      (error: Error) => answer(error),
    );
  };
}
