import type { Properties } from "../../provider-protocol/values.ts";
import { flag, isEmpty, objects, text } from "../property.ts";

/* A container's outputs for volumes and files, from the engine's facts. */

type Loose = Record<string, unknown>;

/** Parses `data:/var/lib/data:ro`. */
export function volume(bind: string, expected: Properties): Properties {
  const [source = "", containerPath = "", options = ""] = bind.split(":");
  const declared = objects(expected, "volumes").find((candidate) => candidate.containerPath === containerPath);
  const isHostPath = source.startsWith("/");
  const readOnly = options.split(",").includes("ro");
  return {
    containerPath,
    fromContainer: "",
    hostPath: isHostPath ? source : "",
    readOnly: readOnly || (declared?.readOnly === false ? false : null),
    selinuxRelabel: options.split(",").find((option) => option === "z" || option === "Z") ?? "",
    volumeName: isHostPath ? "" : source,
  };
}

/** Returns a mount as outputs contain it. */
export function mount(there: Loose): Properties {
  const tmpfs = there.TmpfsOptions as Loose | null | undefined;
  return {
    bindOptions: null,
    readOnly: there.ReadOnly ?? false,
    source: there.Source ?? "",
    target: there.Target,
    tmpfsOptions: isEmpty(tmpfs) ? null : { mode: tmpfs?.Mode ?? 0, sizeBytes: tmpfs?.SizeBytes ?? 0 },
    type: there.Type,
    volumeOptions: null,
  };
}

/** Returns an upload as declared: the engine does not report files that were put into a container before its start. */
export function upload(expected: Properties): Properties {
  return {
    content: text(expected, "content"),
    contentBase64: text(expected, "contentBase64"),
    executable: flag(expected, "executable"),
    file: text(expected, "file"),
    group: text(expected, "group"),
    owner: text(expected, "owner"),
    permissions: text(expected, "permissions"),
    source: text(expected, "source"),
    sourceHash: text(expected, "sourceHash"),
  };
}
