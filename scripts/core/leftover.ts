/** Something that a killed run left behind. `Subject` is what its removal needs. */
export interface Leftover<Kind extends string = string, Subject = void> {
  kind: Kind;
  /** Description for people. */
  found: string;
  /**
   * Set if `found` says what could not be checked: because a check failed, or because nothing can tell here or now, as
   * while the server is stopped.
   */
  unchecked?: "failed" | "not possible";
  /** Description of the action; undefined if none is possible. */
  action?: string;
  /** Information or a command for the user if there is no action. */
  advice?: string;
  /** Checks again and performs the action. Returns false if it was not done because the leftover has changed. */
  act?: (subject: Subject) => Promise<unknown>;
}
