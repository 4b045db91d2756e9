import { spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";
import type { DockerHost } from "../model/docker-host.ts";

/**
 * Returns an agent that sends HTTP to a Docker engine over ssh, as Docker's own tools do. It uses the machine's `ssh`
 * with its configuration, keys and known hosts. (dockerode's own ssh support uses none of them: it would trust any host
 * key.)
 */
export function sshAgent({ host, port, user }: Extract<DockerHost, { kind: "ssh" }>): Agent {
  const target = user === undefined ? host : `${user}@${host}`;
  const options = [
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=20",
    ...(port === undefined ? [] : ["-p", String(port)]),
  ];
  const agent = new Agent({ maxSockets: 4 });
  agent.createConnection = () => {
    const child = spawn("ssh", [...options, "--", target, "docker", "system", "dial-stdio"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-2_000);
    });
    const failure = new Promise<Error | undefined>((resolve) => {
      child.once("error", resolve);
      child.once("close", (code) => {
        resolve(code === 0 ? undefined : new Error(`ssh: ${said.trim() || `ended with ${code}`}`));
      });
    });
    const connection = new Duplex({
      read: () => void child.stdout.resume(),
      // The pipe breaks before ssh has printed the reason.
      write: (chunk, _encoding, done) =>
        void child.stdin.write(chunk, (broken) => (broken ? failure.then(done) : done())),
      final: (done) => void child.stdin.end(done),
      destroy: (error, done) => {
        child.kill();
        done(error);
      },
    });
    child.stdin.on("error", () => {});
    child.stdout.on("data", (chunk) => {
      if (!connection.push(chunk)) child.stdout.pause();
    });
    child.stdout.once("end", async () => {
      const error = await failure;
      if (error === undefined) connection.push(null);
      else connection.destroy(error);
    });
    // The request reports a failure. If the connection is cut after the answer, that is no failure.
    connection.on("error", () => {});
    return withSocketCalls(connection);
  };
  return agent;
}

/** Adds the socket methods that Node's HTTP client calls and a stream does not have. */
function withSocketCalls(stream: Duplex): Duplex {
  const nothing = () => stream;
  return Object.assign(stream, {
    setTimeout: nothing,
    setNoDelay: nothing,
    setKeepAlive: nothing,
    ref: nothing,
    unref: nothing,
  });
}
