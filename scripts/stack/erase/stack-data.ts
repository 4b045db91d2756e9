import type { Facts } from "../../core/unchanged.ts";
import type { ErasedPlace } from "../begun-erasure.ts";
import type { Reached } from "../external-server.ts";
import type { Remains } from "./cluster-files.ts";

/**
 * Error text if another run creates objects of a stack while it is erased: after its removal from the state, before the
 * removal of its data.
 */
export const leftAlone = "The stack was destroyed. Objects that another run has created since were kept.";

/** A stack's server and data before the stack is destroyed. */
export interface Whereabouts {
  /** Description of the running server: `the server on port 5432`. undefined if it is stopped. */
  running: string | undefined;
  hasData: boolean;
  /** Description of the data's location, even if there is no data. */
  place: string;
  /** Descriptions of objects that are deleted in addition to the resources in the state. */
  goes: readonly string[];
  /** Descriptions of objects that stay. */
  stays: readonly string[];
  /** Sentence on what stays, if it is more than the data in `place`. */
  summary?: string;
  /** Instruction that must precede `up` if it would not adopt the data by itself. It ends in "then". */
  firstStep: string | undefined;
  /** Location of the data for programs. null if there is no data. */
  answer: Readonly<Record<string, string | null>>;
  /** All objects that run or are deleted, to distinguish them from those that another run creates later. */
  facts: Facts;
}

/** Data that erasing a stack deletes. */
export interface FoundData {
  /** Description for people. */
  what: string;
  /** Size on disk. undefined if it is unknown. */
  bytes: number | undefined;
  /** Description of its state, for example if it is in use. */
  state: string;
  /** True if it may hold data that someone would miss. */
  hasData: boolean;
  /** The same for programs. */
  told: object;
}

/** Everything that erasing a stack deletes for one kind of server. */
export interface ErasableData {
  /** Data that is worth listing. */
  found: readonly FoundData[];
  /** Locations of the data. */
  places: readonly ErasedPlace[];
  /** Locations from an unfinished erasure. */
  begun: readonly ErasedPlace[];
  /** Sentence on what stays. */
  summary?: string;
  /** All objects that are deleted, to distinguish them from those that another run creates later. */
  facts: Facts;
  /**
   * Deletes the data. It can be run again after an interruption at any point.
   *
   * @throws OperationError (not allowed) if another run has created objects since the data was found; then nothing is
   * deleted
   * @param onStep called with a description of each step
   */
  erase(onStep: (step: string) => void): Promise<Remains>;
}

/** A stack's server and its data, for one kind of server. */
export interface StackData {
  /**
   * Describes the server and its data.
   *
   * @throws OperationError (not allowed) if they belong to another stack
   */
  look(): Promise<Whereabouts>;
  /**
   * Stops the parts of the server that the state does not know, after the engine has destroyed the stack. The data
   * stays.
   *
   * @param seen result of `look` while the stack was locked
   * @throws OperationError (not allowed) if another run has created a server since; that one is not changed
   */
  stop(seen: Whereabouts): Promise<void>;
  /** Returns the superuser's connection, or the reason why there is none. */
  admin(): Promise<Reached>;
  /**
   * Finds everything that erasing the stack deletes.
   *
   * @throws OperationError (not allowed) if files cannot be shown to be the stack's own
   */
  find(): Promise<ErasableData>;
}
