import provider_pb from "@pulumi/pulumi/proto/provider_pb.js";
import type { DiffKind, DiffResult, PropertyChange } from "./resource-type.ts";

/**
 * Converts a diff for the engine: the changed properties, the kind of each change, and the changes that force a
 * replacement.
 */
export function diffResponse(diff: DiffResult) {
  const { DIFF_SOME, DIFF_NONE } = provider_pb.DiffResponse.DiffChanges;
  const response = new provider_pb.DiffResponse()
    .setChanges(diff.changes.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList([...new Set(diff.changes.map(topLevelKey))])
    .setReplacesList([...new Set(diff.changes.filter((change) => change.replace).map(topLevelKey))])
    .setDeletebeforereplace(diff.deleteBeforeReplace ?? false)
    .setHasdetaileddiff(true);
  for (const change of diff.changes) {
    response
      .getDetaileddiffMap()
      .set(
        change.path,
        new provider_pb.PropertyDiff()
          .setKind(kindOf(change.kind, change.replace ?? false))
          .setInputdiff(change.input ?? true),
      );
  }
  return response;
}

function kindOf(kind: DiffKind, replace: boolean) {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = provider_pb.PropertyDiff.Kind;
  switch (kind) {
    case "add":
      return replace ? ADD_REPLACE : ADD;
    case "delete":
      return replace ? DELETE_REPLACE : DELETE;
    case "update":
      return replace ? UPDATE_REPLACE : UPDATE;
  }
}

/** Returns the top-level key of a path: `pending[0]` and `a.b` belong to `pending` and `a`. */
function topLevelKey(change: PropertyChange): string {
  return change.path.split(/[.[]/, 1)[0] ?? change.path;
}
