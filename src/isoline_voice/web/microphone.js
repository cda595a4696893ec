// The microphone: how loud it is while it records, and the recording as a file.

const LEVEL_EVERY_MS = 100;

// What is good for a call is bad for a voice that is to be taken from the recording.
const AUDIO = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export const hasMicrophone = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

export class Microphone {
  #stream;
  #context;
  #recorder;
  #pieces = [];
  #timer;

  /**
   * Begin to record; throws the browser's DOMException when it may not. `onLevel({level, seconds})` is called ten times a
   * second with the highest level since the last call, from 0 to 1.
   */
  async start(onLevel) {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: AUDIO });
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 8192; // at 48 kHz more than the time between two looks
    this.#context.createMediaStreamSource(this.#stream).connect(analyser);
    this.#recorder = new MediaRecorder(this.#stream, { audioBitsPerSecond: 128_000 });
    this.#recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
    this.#recorder.start();
    const began = performance.now();
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const level = samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
      onLevel({ level, seconds: (performance.now() - began) / 1000 });
    }, LEVEL_EVERY_MS);
  }

  /** End, let go of the microphone, and give the recording as a Blob. */
  async stop() {
    clearInterval(this.#timer);
    const ended = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
    this.#recorder.stop();
    await ended;
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
    return new Blob(this.#pieces, { type: this.#recorder.mimeType });
  }
}
