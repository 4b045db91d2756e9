import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { lastLogLines } from "../../docker/container-log.ts";
import { withScratchContainer } from "../../docker/scratch-container.ts";
import { queryInContainer } from "../../docker/server/query.ts";
import { paths, type StackBackups } from "../stack-backups.ts";
import type { RestoreRequest } from "./request.ts";

/*
 * Tablespaces of a restored cluster. Their original locations exist only on the server's machine, so a copy has them in
 * folders of its own. The links stay valid if the copy is moved. The folders are inside the data directory if the
 * destination is a directory, next to it in a volume.
 */

/** Folder of the tablespaces while the copy is made. Each has a subfolder named by its OID. */
const folder = `${paths.cluster}/17/tablespaces`;

/** Returns the options that make pgBackRest restore tablespaces to that folder. */
export function tablespaceOptions(oids: readonly number[]): string[] {
  return oids.map((oid) => `--tablespace-map=${oid}=${folder}/${oid}`);
}

/** Tablespaces that the WAL creates after the backup: folders in the copy by original location. */
export type Locations = ReadonlyMap<string, string>;

/**
 * Builds the command of a server whose recovery creates tablespaces. Their original locations become links into the
 * copy. Only root can create such links at any path.
 */
export function commandWithLocations(locations: Locations, server: readonly string[]): string[] {
  if (locations.size === 0) return [...server];
  const script = `set -e
    while [ "$1" != -- ]; do
      if [ -L "$1" ] || [ ! -e "$1" ]; then
        mkdir -p "$(dirname "$1")"
        setpriv --reuid=postgres --regid=postgres --clear-groups mkdir -p -m 0700 "$2"
        ln -sfnT "$2" "$1"
      fi
      shift 2
    done
    shift; exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@"`;
  return ["sh", "-c", script, "server", ...[...locations].flat(), "--", ...server];
}

/**
 * Finds the tablespace location that stopped a recovering server, in the server's log.
 *
 * @returns the known locations and the new one; undefined if something else stopped the server
 */
export async function locationThatStopped(
  docker: Docker,
  container: string,
  known: Locations,
): Promise<Locations | undefined> {
  const log = await lastLogLines(docker, container, 50);
  const [, oid, location] = /Tablespace\/CREATE: (\d+) "(.+)"$/m.exec(log) ?? [];
  if (oid === undefined || location === undefined || known.has(location)) return undefined;
  return new Map([...known, [location, `${folder}/${oid}`]]);
}

/** Returns true if a server in a container has tablespaces outside its data directory. */
export async function hasTablespaces(docker: Docker, container: string): Promise<boolean> {
  const query = "select 1 from pg_tablespace where pg_tablespace_location(oid) like '/%'";
  return (await queryInContainer(docker, container, query)).length > 0;
}

/** Refuses an in-place restore. Both clusters would write to the same folders of the tablespaces. */
export function tablespacesNextToLive(reason: string): OperationError {
  return new OperationError(`${reason}, and an in-place restore is possible without any only.`, {
    hint: "Restore it to a new volume with --to-volume, or one database with --only. The stack was not changed.",
    exitCode: exitCode.notAllowed,
  });
}

/** Moves the tablespaces of a copy to their final folder and links them there. The server must be stopped. */
export async function settleTablespaces(
  docker: Docker,
  stack: StackBackups,
  volume: string,
  locations: Locations,
  to: RestoreRequest["to"],
): Promise<void> {
  const [target, link] =
    to.kind === "directory" ? [`${paths.data}/tablespaces`, "../tablespaces"] : [folder, "../../tablespaces"];
  const script = `set -eu
    target=$1 link=$2; shift 2
    mkdir -p -m 0700 "$target"
    for path in ${paths.data}/pg_tblspc/*; do
      [ -L "$path" ] || continue
      oid=$(basename "$path") at=$(readlink "$path")
      index=0; for known in "$@"; do
        index=$((index + 1)); [ $((index % 2)) -eq 1 ] && location=$known && continue
        [ "$location" != "$at" ] || at=$known
      done
      [ -d "$at" ] || { echo "the tablespace $oid is not at $at" >&2; exit 1; }
      [ "$at" = "$target/$oid" ] || mv -T "$at" "$target/$oid"
      ln -sfnT "$link/$oid" "$path"
    done
    for left in ${folder}/*; do [ -L "${paths.data}/pg_tblspc/$(basename "$left")" ] || rm -rf "$left"; done
    [ "$target" = ${folder} ] || rm -rf ${folder}
    for known in "$@"; do [ ! -L "$known" ] || rm "$known"; done`;
  const command = ["sh", "-c", script, "settle", target, link, ...[...locations].flat()];
  const spec = {
    ...{ owner: stack.owner, image: stack.image, command },
    volumes: { [paths.cluster]: volume },
  };
  await withScratchContainer(docker, spec, async (container) => {
    await container.start();
    const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
    if (code === 0) return;
    throw new OperationError(`Cannot copy the tablespaces: ${await lastLogLines(docker, container.id, 5)}`);
  });
}
