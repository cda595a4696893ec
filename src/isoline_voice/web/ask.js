// Requests to the studio: where it is, with the key if there is one, and errors that say what to do.

const KEY = "isoline-voice.key";

let held = restored();

// A browser that refuses storage (a private window) asks again after a reload.
function restored() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export const key = () => held;

/** The key goes with this tab: it is gone when the tab is closed. */
export function useKey(value) {
  held = value;
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Nothing to do: see restored().
  }
}

/** What the studio refused, with the fields of its error; `retryAfter` in seconds where it is worth coming back. */
export class Refusal extends Error {
  constructor(error, status, retryAfter) {
    super(error.message);
    Object.assign(this, error);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** An address of the studio's, wherever a gateway has put it. */
export function address(path, parameters = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

/** The answer to a request; throws a Refusal, or a TypeError when the studio cannot be reached. */
export async function ask(path, { json, parameters, headers = {}, ...options } = {}) {
  const sent = { ...headers, ...(held && { Authorization: `Bearer ${held}` }) };
  if (json) sent["Content-Type"] = "application/json";
  const answer = await fetch(address(path, parameters), {
    ...options,
    method: options.method ?? (json ? "POST" : "GET"),
    body: json ? JSON.stringify(json) : options.body,
    headers: sent,
  });
  if (answer.ok) return answer;
  throw await refusal(answer);
}

async function refusal(answer) {
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("key-needed", { detail: { wrong: Boolean(held) } }));
  const told = await answer.json().catch(() => ({}));
  const error = told.error ?? { message: `${answer.status} ${answer.statusText}` };
  return new Refusal(error, answer.status, Number(answer.headers.get("Retry-After")) || undefined);
}

/** The same, parsed. */
export const askJson = async (path, options) => (await ask(path, options)).json();
