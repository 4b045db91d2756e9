/** Something that a killed run left behind. `Subject` is what its removal needs. */
export interface Leftover<Kind extends string = string, Subject = void> {
  kind: Kind;
  /** Description for people. */
  found: string;
  /** Description of the action; undefined if none is possible. */
  action?: string;
  /** Information or a command for the user if there is no action. */
  advice?: string;
  /** Checks again and performs the action. Returns false if it was not done because the leftover has changed. */
  act?: (subject: Subject) => Promise<unknown>;
}
