import type Docker from "dockerode";
import type { Properties } from "../../provider-protocol/values.ts";
import { count, isEmpty, object, objects, strings, text } from "../property.ts";
import { goDuration, isSameDuration, nanoseconds } from "./duration.ts";
import { mount, upload, volume } from "./file-outputs.ts";
import { labelEntries, labelsOf } from "./labels.ts";
import { hostEntry, networkDatas, networksAdvanced, ports } from "./network-outputs.ts";

const bytesInMegabyte = 2 ** 20;

/** Facts about a container from the engine. The client's types lack some fields and do not say which may be null. */
export interface ContainerFacts {
  container: Docker.ContainerInspectInfo;
  /**
   * Configuration of the container's image. Undefined if the image is gone, so that inherited values cannot be
   * recognised.
   */
  imageConfig: { Env?: readonly string[] | null; Labels?: Readonly<Record<string, string>> | null } | undefined;
  /** True if the engine's kernel can limit swap. */
  limitsSwap: boolean;
}

type Loose = Record<string, unknown>;

/**
 * Returns a container's outputs from the engine's facts.
 *
 * @param expected the declared or last seen values, for equivalent spellings and for settings that the engine does not
 * keep
 */
export function containerOutputs(facts: ContainerFacts, expected: Properties): Properties {
  const { container } = facts;
  const { Config: config, HostConfig: host, State: state } = container;
  const loose = host as unknown as Loose;
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ""),
    image: image(container, expected),
    command: config.Cmd ?? [],
    entrypoints: entrypoints(config.Entrypoint),
    envs: envs(facts, expected),
    labels: labels(facts, expected),
    hostname: config.Hostname,
    domainname: config.Domainname,
    user: config.User,
    workingDir: config.WorkingDir,
    init: loose.Init ?? false,
    tty: config.Tty,
    stdinOpen: config.OpenStdin,
    stopSignal: (config as unknown as Loose).StopSignal ?? "",
    stopTimeout: (config as unknown as Loose).StopTimeout ?? 0,
    healthcheck: healthcheck(config.Healthcheck as Loose | null | undefined, object(expected, "healthcheck")),

    mustRun: expected.mustRun !== false && (state.Running || expected.start === false),
    restart: host.RestartPolicy?.Name || "no",
    maxRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0,
    rm: host.AutoRemove ?? false,

    memory: megabytes(host.Memory),
    memorySwap: memorySwap(facts, expected),
    cpuShares: host.CpuShares ?? 0,
    cpuSet: host.CpusetCpus ?? "",
    cpus: cpus(host.NanoCpus, text(expected, "cpus")),
    shmSize: megabytes(host.ShmSize),
    ulimits: ((host.Ulimits ?? []) as Loose[]).map(({ Hard: hard, Name: name, Soft: soft }) => ({ hard, name, soft })),
    sysctls: host.Sysctls ?? null,

    networkMode: host.NetworkMode || "bridge",
    networksAdvanced: networksAdvanced(container, expected),
    networkDatas: networkDatas(container),
    ports: ports(container),
    publishAllPorts: host.PublishAllPorts ?? false,
    hosts: (host.ExtraHosts ?? []).map(hostEntry),
    dns: host.Dns?.length ? host.Dns : null,
    dnsOpts: host.DnsOptions?.length ? host.DnsOptions : null,
    dnsSearches: host.DnsSearch?.length ? host.DnsSearch : null,
    bridge: (container.NetworkSettings as unknown as Loose).Bridge ?? "",

    volumes: (host.Binds ?? []).map((bind) => volume(bind, expected)),
    mounts: ((host.Mounts ?? []) as unknown as Loose[]).map(mount),
    tmpfs: isEmpty(host.Tmpfs) ? null : host.Tmpfs,
    uploads: objects(expected, "uploads").map(upload),
    readOnly: host.ReadonlyRootfs ?? false,

    privileged: host.Privileged ?? false,
    capabilities: capabilities(host, object(expected, "capabilities")),
    securityOpts: host.SecurityOpt ?? [],
    groupAdds: host.GroupAdd?.length ? host.GroupAdd : null,
    deviceCgroupRules: loose.DeviceCgroupRules ?? null,
    ipcMode: host.IpcMode ?? "",
    pidMode: host.PidMode || null,
    usernsMode: host.UsernsMode ?? "",
    runtime: host.Runtime ?? "",
    logDriver: host.LogConfig?.Type ?? "",
    logOpts: isEmpty(host.LogConfig?.Config) ? null : host.LogConfig?.Config,
    platform: container.Platform,
  };
}

/** Returns the image's declared or current name. A tag that now means another image is no change of this container. */
function image(container: Docker.ContainerInspectInfo, expected: Properties): string {
  const declared = text(expected, "image");
  return declared === container.Image ? declared : container.Config.Image;
}

function entrypoints(value: string | string[] | null | undefined): string[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** Returns the environment without the image's own variables, except those that the program also declares. */
function envs({ container, imageConfig }: ContainerFacts, expected: Properties): string[] {
  const declared = new Set(strings(expected, "envs"));
  const inherited = imageConfig === undefined ? undefined : new Set(imageConfig.Env ?? []);
  const own = (entry: string) => declared.has(entry) || inherited?.has(entry) === false;
  return (container.Config.Env ?? []).filter(own).sort();
}

function labels({ container, imageConfig }: ContainerFacts, expected: Properties): Properties[] {
  const declared = labelsOf(expected);
  const inherited = imageConfig?.Labels ?? {};
  const own = ([label, value]: [string, string]) =>
    declared[label] !== undefined || (imageConfig !== undefined && inherited[label] !== value);
  return labelEntries(Object.fromEntries(Object.entries(container.Config.Labels ?? {}).filter(own)));
}

function healthcheck(there: Loose | null | undefined, expected: Properties): Properties | null {
  if (there === null || there === undefined) return null;
  const duration = (key: string, nanos: unknown) => {
    const now = goDuration(typeof nanos === "number" ? nanos : 0);
    const declared = text(expected, key);
    // If the declared value is empty, the image's own value applies.
    return declared !== "" && (nanoseconds(declared) === 0 || isSameDuration(declared, now)) ? declared : now;
  };
  return {
    interval: duration("interval", there.Interval),
    retries: there.Retries ?? 0,
    startInterval: duration("startInterval", there.StartInterval),
    startPeriod: duration("startPeriod", there.StartPeriod),
    tests: there.Test ?? [],
    timeout: duration("timeout", there.Timeout),
  };
}

function megabytes(bytes: number | undefined): number {
  return Math.round((bytes ?? 0) / bytesInMegabyte);
}

/**
 * Returns the declared swap limit as it is now. A limit that the engine chose counts as none: the next up would remove
 * it again, and never converge.
 */
function memorySwap({ container, limitsSwap }: ContainerFacts, expected: Properties): number {
  const declared = count(expected, "memorySwap");
  const there = container.HostConfig.MemorySwap ?? 0;
  if (declared === 0) return 0;
  if (there === -1) return limitsSwap ? -1 : declared;
  return megabytes(there);
}

function cpus(nanos: number | undefined, expected: string): string | null {
  if (!nanos) return null;
  return Math.round(Number(expected) * 1e9) === nanos ? expected : String(nanos / 1e9);
}

/** Returns the capabilities in the declared spelling. Engines add the prefix `CAP_`. */
function capabilities(host: Docker.HostConfig, expected: Properties): Properties | null {
  const spelled = (there: unknown, key: string) => {
    const declared = strings(expected, key);
    const bare = (name: string) => name.toUpperCase().replace(/^CAP_/, "");
    return ((there ?? []) as string[]).map((name) => declared.find((other) => bare(other) === bare(name)) ?? name);
  };
  const [adds, drops] = [spelled(host.CapAdd, "adds"), spelled(host.CapDrop, "drops")];
  return adds.length + drops.length === 0 ? null : { adds, drops };
}
