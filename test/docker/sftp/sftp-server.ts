import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { dockerClient } from "../../../scripts/docker/client.ts";
import { runInContainer } from "../../../scripts/docker/run-in-container.ts";
import { addressInDocker, somePort, waitForEndpoint } from "../address-in-docker.ts";
import { sftpImage } from "../postgres-image.ts";

const docker = dockerClient();

/**
 * A real SFTP server (OpenSSH) in a container. Containers of every network reach it at the address that this machine
 * has in Docker's default network.
 */
export class SftpServer {
  /** Account of the server, and the folder that it can write to. */
  readonly user = "backups";
  readonly folder = "/srv/backups";
  /** Address, port, and keys, set by {@link start}. `otherKey` is not known to the server. */
  host = "";
  port = 0;
  privateKey = "";
  otherKey = "";
  /** Lines of known_hosts with the server's host keys. */
  knownHosts = "";
  /** Fingerprint of the host key that clients ask for first. */
  hostFingerprint = "";
  #container: Docker.Container | undefined;

  async start(): Promise<void> {
    this.host = await addressInDocker();
    this.port = somePort();
    this.#container = await docker.createContainer({
      Image: await sftpImage(),
      name: `pgroundwork-test-sftp-${randomBytes(4).toString("hex")}`,
      HostConfig: { PortBindings: { "22/tcp": [{ HostIp: this.host, HostPort: String(this.port) }] } },
    });
    await this.return();
    this.privateKey = await this.#makeKey("own");
    this.otherKey = await this.#makeKey("other");
    const ssh = `/home/${this.user}/.ssh`;
    await this.run(`install --owner=${this.user} --mode=0600 /tmp/own.pub ${ssh}/authorized_keys`);
    const keys = await this.run("cat /etc/ssh/ssh_host_*_key.pub");
    this.knownHosts = keys.replaceAll(/^(\S+ \S+).*$/gm, `[${this.host}]:${this.port} $1`);
    [this.hostFingerprint = ""] = /SHA256:\S+/.exec(await this.run("ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key")) ?? [];
  }

  /** Stops the server, as if its machine was away. Its files stay. */
  async leave(): Promise<void> {
    await this.#container?.stop({ t: 0 });
  }

  /** Starts the server again at the same address, with the same host keys. */
  async return(): Promise<void> {
    await this.#container?.start();
    await waitForEndpoint(`${this.host}:${this.port}`);
  }

  /** Runs a shell script in the server's container as root, and returns its output. */
  async run(script: string): Promise<string> {
    const spec = { command: ["sh", "-ec", script] };
    const { code, stdout, stderr } = await runInContainer(docker, this.#container?.id ?? "", spec);
    if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
    return stdout;
  }

  async stop(): Promise<void> {
    await this.#container?.remove({ force: true });
  }

  #makeKey(name: string): Promise<string> {
    return this.run(`ssh-keygen -q -t ed25519 -N '' -f /tmp/${name} && cat /tmp/${name}`);
  }
}
