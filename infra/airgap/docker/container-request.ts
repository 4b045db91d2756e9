import type Docker from "dockerode";
import type { Properties } from "../../plugin/values.ts";
import { count, flag, isEmpty, object, objects, strings, text } from "../property.ts";
import { nanoseconds } from "./duration.ts";
import { labelsOf } from "./labels.ts";

const bytesInMegabyte = 2 ** 20;

/** What the engine is asked to make. What the program leaves out is left out here: the image's or the engine's own holds then. */
export function createRequest(wanted: Properties): Docker.ContainerCreateOptions {
  return given({
    name: text(wanted, "name"),
    Image: text(wanted, "image"),
    Cmd: list(wanted, "command"),
    Entrypoint: list(wanted, "entrypoints"),
    Env: strings(wanted, "envs"),
    Labels: labelsOf(wanted),
    Hostname: text(wanted, "hostname"),
    Domainname: text(wanted, "domainname"),
    User: text(wanted, "user"),
    WorkingDir: text(wanted, "workingDir"),
    Tty: flag(wanted, "tty"),
    OpenStdin: flag(wanted, "stdinOpen"),
    StopSignal: text(wanted, "stopSignal"),
    StopTimeout: wanted.stopTimeout,
    Healthcheck: healthcheck(wanted),
    ExposedPorts: Object.fromEntries(objects(wanted, "ports").map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(wanted),
  }) as Docker.ContainerCreateOptions;
}

/** The part of a container's settings that an engine changes while it runs. */
export function updateRequest(wanted: Properties) {
  return {
    RestartPolicy: restartPolicy(wanted),
    ...memoryLimits(wanted),
    CpuShares: count(wanted, "cpuShares"),
    CpusetCpus: text(wanted, "cpuSet"),
  };
}

/** `5432/tcp`, as the engine names a port of a container. */
export function portKey(port: Properties): string {
  return `${count(port, "internal")}/${text(port, "protocol") || "tcp"}`;
}

/** How the container is attached to one of its networks. */
export function endpointConfig(network: Properties): Docker.EndpointSettings {
  const [IPv4Address, IPv6Address] = [text(network, "ipv4Address"), text(network, "ipv6Address")];
  const addresses = given({ IPv4Address, IPv6Address });
  return given({ Aliases: strings(network, "aliases"), IPAMConfig: addresses }) as unknown as Docker.EndpointSettings;
}

function hostConfig(wanted: Properties) {
  const cpus = Number(text(wanted, "cpus") || 0);
  const capabilities = object(wanted, "capabilities");
  return given({
    RestartPolicy: restartPolicy(wanted),
    ...memoryLimits(wanted),
    CpuShares: count(wanted, "cpuShares"),
    CpusetCpus: text(wanted, "cpuSet"),
    NanoCpus: Math.round(cpus * 1e9),
    ShmSize: count(wanted, "shmSize") * bytesInMegabyte,
    Ulimits: objects(wanted, "ulimits").map((limit) => ({ Name: limit.name, Hard: limit.hard, Soft: limit.soft })),
    Sysctls: object(wanted, "sysctls"),
    AutoRemove: flag(wanted, "rm"),
    Init: wanted.init,
    NetworkMode: text(wanted, "networkMode") || "bridge",
    PortBindings: portBindings(wanted),
    PublishAllPorts: flag(wanted, "publishAllPorts"),
    ExtraHosts: objects(wanted, "hosts").map(({ host, ip }) => `${host}:${ip}`),
    Dns: strings(wanted, "dns"),
    DnsOptions: strings(wanted, "dnsOpts"),
    DnsSearch: strings(wanted, "dnsSearches"),
    Binds: objects(wanted, "volumes").map(
      (volume) => `${volume.volumeName}:${volume.containerPath}${flag(volume, "readOnly") ? ":ro" : ""}`,
    ),
    Mounts: objects(wanted, "mounts").map(mount),
    Tmpfs: object(wanted, "tmpfs"),
    ReadonlyRootfs: flag(wanted, "readOnly"),
    Privileged: flag(wanted, "privileged"),
    CapAdd: strings(capabilities, "adds"),
    CapDrop: strings(capabilities, "drops"),
    SecurityOpt: strings(wanted, "securityOpts"),
    GroupAdd: strings(wanted, "groupAdds"),
    DeviceCgroupRules: strings(wanted, "deviceCgroupRules"),
    IpcMode: text(wanted, "ipcMode"),
    PidMode: text(wanted, "pidMode"),
    UsernsMode: text(wanted, "usernsMode"),
    Runtime: text(wanted, "runtime"),
    LogConfig: given({ Type: text(wanted, "logDriver"), Config: object(wanted, "logOpts") }),
  });
}

function restartPolicy(wanted: Properties) {
  return { Name: text(wanted, "restart") || "no", MaximumRetryCount: count(wanted, "maxRetryCount") };
}

/** Memory and its swap are sent together: the kernel refuses one that passes the other, even for a moment. */
function memoryLimits(wanted: Properties) {
  const memory = count(wanted, "memory") * bytesInMegabyte;
  const swap = count(wanted, "memorySwap");
  if (memory === 0) return {};
  // Twice the memory is the engine's own choice for a new container, and for a changed one it keeps the old value.
  return { Memory: memory, MemorySwap: swap === 0 ? 2 * memory : swap < 0 ? -1 : swap * bytesInMegabyte };
}

function healthcheck(wanted: Properties) {
  const check = object(wanted, "healthcheck");
  const nanos = (key: string) => nanoseconds(text(check, key)) ?? 0;
  return given({
    Test: list(check, "tests"),
    Interval: nanos("interval"),
    Timeout: nanos("timeout"),
    StartPeriod: nanos("startPeriod"),
    StartInterval: nanos("startInterval"),
    Retries: count(check, "retries"),
  });
}

function portBindings(wanted: Properties) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of objects(wanted, "ports")) {
    const external = count(port, "external");
    const binding = { HostIp: text(port, "ip"), HostPort: external === 0 ? "" : String(external) };
    const key = portKey(port);
    bindings[key] = [...(bindings[key] ?? []), binding];
  }
  return bindings;
}

function mount(wanted: Properties) {
  const options = object(wanted, "tmpfsOptions");
  return given({
    Type: wanted.type,
    Source: text(wanted, "source"),
    Target: wanted.target,
    ReadOnly: flag(wanted, "readOnly"),
    TmpfsOptions: given({ SizeBytes: options.sizeBytes, Mode: options.mode }),
  });
}

/** Repetitions count in a command. */
function list(values: Properties, key: string): unknown[] {
  const value = values[key];
  return Array.isArray(value) ? value : [];
}

/** Without what says nothing; `false` for a start process says something. */
function given(values: Properties): Properties {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => (key === "Init" ? typeof value === "boolean" : !isEmpty(value))),
  );
}
