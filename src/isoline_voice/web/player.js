// Audio that is heard while it arrives: PCM pieces into an AudioWorklet.

const DEFAULT_RATE = 24000;

export const canPlayPieces = () =>
  "WebSocket" in window && "AudioWorkletNode" in window && "AudioContext" in window && window.isSecureContext;

export class Player {
  #context;
  #node;
  #run = 0;
  #ready = false;
  #waiting = [];
  #onProgress;

  /** `onProgress({seconds, frames, peak, drained})` is called about twenty times a second while there is sound. */
  constructor(onProgress) {
    this.#onProgress = onProgress;
  }

  /** Call it from a key press or click: browsers give sound only to a page that was touched. */
  async open(rate = DEFAULT_RATE) {
    const run = ++this.#run;
    this.#waiting = [];
    this.#ready = false;
    // A phone's mute switch is for ringing, not for what one asked to hear.
    if (navigator.audioSession) navigator.audioSession.type = "playback";
    if (this.#context?.sampleRate !== rate) {
      await this.#context?.close();
      this.#context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
      this.#node = undefined;
    }
    const resumed = this.#context.resume();
    if (!this.#node) {
      await this.#context.audioWorklet.addModule(new URL("pcm-worklet.js", import.meta.url));
      this.#node = new AudioWorkletNode(this.#context, "pcm-player", { numberOfInputs: 0, outputChannelCount: [1] });
      this.#node.port.onmessage = ({ data }) => this.#report(data);
      this.#node.connect(this.#context.destination);
    }
    await resumed;
    if (run !== this.#run) return;
    this.#node.port.postMessage({ type: "clear", run });
    this.#ready = true;
    for (const message of this.#waiting) this.#node.port.postMessage(message);
    this.#waiting = [];
  }

  /** Int16 samples; what comes before the device is open waits for it. */
  push(samples) {
    this.#post({ type: "samples", samples });
  }

  /** No more will come: progress says `drained` once the last of it was heard. */
  end() {
    this.#post({ type: "end" });
  }

  stop() {
    this.#run += 1;
    this.#waiting = [];
    this.#node?.port.postMessage({ type: "clear" });
    this.#context?.suspend();
  }

  #post(message) {
    if (this.#ready) this.#node.port.postMessage(message);
    else this.#waiting.push(message);
  }

  #report({ run, played, peak, drained }) {
    if (run !== this.#run) return; // a late word about what was stopped
    const rate = this.#context.sampleRate;
    this.#onProgress({ seconds: played / rate, frames: played, peak, drained });
  }
}
