/** A value, or the reason why it is not known. */
export type Known<T> = ({ known: true } & T) | { known: false; reason: string };
