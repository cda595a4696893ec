// Where pieces cannot be played one by one (no AudioWorklet, no WebSocket through a proxy): MP3 into an <audio> element,
// while it arrives where the browser has MediaSource for it, else when it is complete.

import { ask } from "./ask.js";

const TYPE = "audio/mpeg";

export class FallbackPlayer {
  #audio;
  #aborter;
  #url;

  /**
   * Handlers: `onAnswer({warnings})`, `onPiece(buffer)`, `onProgress({seconds, drained})`, `onError(error)`.
   * `body` is that of POST /v1/audio/speech.
   */
  constructor(body, handlers) {
    this.handlers = handlers;
    this.#aborter = new AbortController();
    this.#audio = new Audio();
    this.#audio.ontimeupdate = () => handlers.onProgress({ seconds: this.#audio.currentTime, drained: false });
    this.#audio.onended = () => handlers.onProgress({ seconds: this.#audio.currentTime, drained: true });
    this.#speak(body).catch((error) => {
      if (error.name !== "AbortError") handlers.onError(error);
    });
  }

  stop() {
    this.#aborter.abort();
    this.#audio.pause();
    URL.revokeObjectURL(this.#url);
  }

  async #speak(body) {
    const json = { ...body, response_format: "mp3" };
    const answer = await ask("v1/audio/speech", { json, signal: this.#aborter.signal });
    this.handlers.onAnswer({ warnings: JSON.parse(answer.headers.get("X-Voice-Warnings") ?? "[]") });
    if (window.MediaSource?.isTypeSupported(TYPE)) await this.#playWhileItArrives(answer.body.getReader());
    else await this.#playWhole(answer);
  }

  async #playWhole(answer) {
    const buffer = await answer.arrayBuffer();
    this.handlers.onPiece(buffer);
    await this.#play(new Blob([buffer], { type: TYPE }));
  }

  async #playWhileItArrives(reader) {
    const source = new MediaSource();
    const open = new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
    const playing = this.#play(source);
    await open;
    const buffer = source.addSourceBuffer(TYPE);
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      this.handlers.onPiece(next.value);
      buffer.appendBuffer(next.value);
      await new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
    }
    source.endOfStream();
    await playing;
  }

  async #play(source) {
    this.#url = URL.createObjectURL(source);
    this.#audio.src = this.#url;
    await this.#audio.play();
  }
}
