// What went wrong, in the page's language and with what to do.

import { words } from "./words.js";

/** A sentence about an error: what the studio refused, or that it cannot be reached. */
export function explained(error) {
  if (error instanceof TypeError) return words().unreachable;
  const known = words().refusals[error.code];
  const sentence = known ?? error.message;
  return error.retryAfter ? `${sentence} ${words().comeBack(error.retryAfter)}` : sentence;
}
