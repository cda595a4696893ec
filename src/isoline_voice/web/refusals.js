// What went wrong, in the page's language and with what to do.

import { current, words } from "./words.js";

function told(fault) {
  if (current() === "zh" && fault.message_zh) return fault.message_zh;
  const known = words().refusals[fault.code];
  // Where the code alone does not say enough, the field does.
  return typeof known === "function" ? known(words().parameters[fault.param] ?? fault.param) : (known ?? fault.message);
}

/** A sentence about an error: what the studio refused, or that it cannot be reached. */
export function explained(error) {
  if (error instanceof TypeError) return words().unreachable;
  const sentence = (error.details ?? [error]).map(told).join(" ");
  return error.retryAfter ? `${sentence} ${words().comeBack(error.retryAfter)}` : sentence;
}
