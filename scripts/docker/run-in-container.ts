import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";

export interface ContainerCommand {
  command: readonly string[];
  /** What it reads: where secrets go, since arguments are public. */
  input?: string;
  user?: string;
  environment?: Readonly<Record<string, string>>;
}

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in a running container to its end. What it writes is held in memory: for commands of few lines. */
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
  const { ExitCode } = await exec.inspect();
  // null: the container went away under the command.
  return { code: ExitCode ?? -1, stdout: out, stderr: err };
}
