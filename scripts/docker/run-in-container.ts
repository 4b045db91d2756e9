import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";

export interface ContainerCommand {
  command: readonly string[];
  /** Standard input of the command. Secrets go here, because arguments are visible to other users. */
  input?: string;
  user?: string;
  environment?: Readonly<Record<string, string>>;
}

/** Result of a command that has ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in a running container and waits for its end. The output is held in memory, so it must be small. */
export async function runInContainer(docker: Docker, container: string, given: ContainerCommand): Promise<Finished> {
  const { command, input, user, environment = {} } = given;
  const exec = await docker.getContainer(container).exec({
    Cmd: [...command],
    AttachStdin: input !== undefined,
    AttachStdout: true,
    AttachStderr: true,
    ...(user === undefined ? {} : { User: user }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
  });
  const stream = await exec.start({ hijack: true, stdin: input !== undefined });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const finished = Promise.all([text(stdout), text(stderr)]);
  docker.modem.demuxStream(stream, stdout, stderr);
  const end = () => {
    stdout.end();
    stderr.end();
  };
  stream.once("end", end).once("close", end).once("error", end);
  if (input !== undefined) stream.end(input);
  const [out, err] = await finished;
  // The engine does not always close the connection at the end, and an open one would keep this process running.
  stream.destroy();
  const { ExitCode } = await exec.inspect();
  // null: the container ended during the command.
  return { code: ExitCode ?? -1, stdout: out, stderr: err };
}
