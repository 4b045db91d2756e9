import type { ErasedPlace } from "../stack/begun-erasure.ts";
import type { Connection } from "../target/connection.ts";
import type { Remains } from "./cluster-files.ts";

/** A stack's server and data as taking it down meets them. */
export interface Whereabouts {
  /** The server that runs, in words: `the server on port 5432`; undefined: none does. */
  running: string | undefined;
  hasData: boolean;
  /** Where the data is, or would be, in words. */
  place: string;
  /** What else goes, beside the resources in the state, in words. */
  goes: readonly string[];
  /** What else stays where it is, in words. */
  stays: readonly string[];
  /** What is to be done first where `up` would not take the data back by itself; it ends in "then". */
  wayBack: string | undefined;
  /** Where the data is, for programs; null: there is none. */
  answer: Readonly<Record<string, string | null>>;
}

/** Something that erasing a stack deletes. */
export interface FoundData {
  /** In words. */
  what: string;
  /** What it takes on the disk; undefined: it could not be told. */
  bytes: number | undefined;
  /** In words: whether it is in use. */
  state: string;
  /** Whether it is, or may hold, what somebody would miss. */
  hasData: boolean;
  /** The same for programs. */
  told: object;
}

/** Everything that erasing a stack deletes, where one kind of server keeps it. */
export interface ErasableData {
  /** What is worth naming. */
  found: readonly FoundData[];
  /** Where it lies. */
  places: readonly ErasedPlace[];
  /** Places of an erasure that was not finished. */
  begun: readonly ErasedPlace[];
  /**
   * Deletes it. Safe to run again after an interruption at any point.
   *
   * @param onStep is told what is being done
   */
  erase(onStep: (step: string) => void): Promise<Remains>;
}

/** A stack's server and its data, wherever its kind of server has them. */
export interface StackData {
  /** @throws OperationError (not allowed) where what is there is another stack's */
  look(): Promise<Whereabouts>;
  /** Ends what of the server no state knows, once the engine has taken the stack down. Its data stays. */
  stop(): Promise<void>;
  /** The superuser's connection; undefined: the server does not run, or its password is not known. */
  admin(): Promise<Connection | undefined>;
  /** @throws OperationError (not allowed) where there are files that cannot be shown to be the stack's own */
  find(): Promise<ErasableData>;
}
