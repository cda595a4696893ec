// One utterance over the WebSocket. The text is sent in slices as it is heard, so that a book does not fill the memory.

import { address, key } from "./ask.js";

const AHEAD_SECONDS = 30;
const SLICE = 600;
const ASK_EVERY_MS = 250;
// A browser sets no headers of a WebSocket; this is how OpenAI's API takes a key from one.
const KEY_PROTOCOL = "openai-insecure-api-key.";

function socketAddress() {
  const url = address("v1/audio/speech/stream");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** Slices end where a word ends where there is a space, and never within a surrogate pair. */
function* slices(text) {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + SLICE, text.length);
    if (end < text.length) {
      const space = text.lastIndexOf(" ", end);
      if (space > start) end = space;
      else if (/[\uD800-\uDBFF]/.test(text[end - 1])) end -= 1;
    }
    yield text.slice(start, end);
    start = end;
  }
}

export class Session {
  #socket;
  #slices;
  #opened = false;
  #over = false;
  #handlers;
  #asking;

  /**
   * Handlers: `onStart(message)` and `onSpoken(message)` for each sentence, `onPcm(buffer)`, `onDone()`, `onError(error)`,
   * `onUnavailable()` when the WebSocket cannot be had at all, and `ahead()`: the seconds that wait to be heard.
   */
  constructor(text, config, handlers) {
    this.#slices = slices(text);
    this.#handlers = handlers;
    this.#socket = new WebSocket(socketAddress(), key() ? ["realtime", KEY_PROTOCOL + key()] : []);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => {
      this.#opened = true;
      this.#send({ type: "session.config", ...config, response_format: "pcm" });
      this.#more();
      this.#asking = setInterval(() => this.#moreIfShort(), ASK_EVERY_MS);
    };
    this.#socket.onmessage = ({ data }) => this.#take(data);
    this.#socket.onclose = () => this.#closed();
  }

  stop() {
    this.#end();
    this.#socket.close();
  }

  #end() {
    this.#over = true;
    clearInterval(this.#asking);
  }

  #moreIfShort() {
    if (this.#handlers.ahead() < AHEAD_SECONDS) this.#more();
  }

  #more() {
    const { value, done } = this.#slices.next();
    if (done) clearInterval(this.#asking);
    this.#send(done ? { type: "input.done" } : { type: "input.text", text: value });
    // A short text is sent with its end at once: nothing is gained by asking for more.
    if (!done && value.length < SLICE) this.#more();
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #take(data) {
    if (this.#over) return;
    if (data instanceof ArrayBuffer) {
      this.#handlers.onPcm(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "audio.start") this.#handlers.onStart(message);
    if (message.type === "audio.done") this.#handlers.onSpoken(message);
    if (message.type === "session.done") {
      this.stop(); // the studio would wait for another text
      // A text that comes bit by bit is refused by nobody, not even when it had no words.
      if (message.total_sentences) this.#handlers.onDone();
      else this.#handlers.onError({ code: "text_empty" });
    }
    if (message.type === "error") {
      this.#end();
      this.#handlers.onError(message.error);
    }
  }

  #closed() {
    if (this.#over) return;
    this.#end();
    if (this.#opened) this.#handlers.onError();
    else this.#handlers.onUnavailable();
  }
}
