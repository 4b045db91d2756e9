import type { Check } from "../check.ts";
import { findSessions, sessionProblem } from "../sessions.ts";

export const idleTransaction: Check = {
  name: "idle-transaction",
  title: "A session is idle in a transaction",
  scope: "server",
  async find(observer, { idleTransactionSeconds }) {
    const condition = "state in ('idle in transaction', 'idle in transaction (aborted)')";
    const { sessions, unknown } = await findSessions(observer, condition, "state_change", idleTransactionSeconds);
    const hint =
      "Set idle_in_transaction_session_timeout for its role, and look for a missing COMMIT in the application.";
    const problems = sessions.map((session) => ({
      ...sessionProblem(
        session,
        "has been idle in a transaction for",
        "It keeps its locks, and vacuum removes no row that was deleted since.",
      ),
      hint,
    }));
    return { problems, unknown };
  },
};
