// Plays int16 PCM from a queue on the audio thread, where the page's own work cannot make it stutter.

const LEAD_SECONDS = 0.06; // held back before the first sound and after running dry, so that one late packet is not heard
const REPORT_FRAMES = 1024;

class PcmPlayer extends AudioWorkletProcessor {
  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.take(data);
    this.clear();
  }

  clear() {
    this.queue = [];
    this.offset = 0;
    this.queued = 0;
    this.played = 0;
    this.unreported = 0;
    this.peak = 0;
    this.flowing = false;
    this.ended = false;
  }

  take(message) {
    if (message.type === "clear") {
      this.clear();
      this.run = message.run;
    } else if (message.type === "end") {
      this.ended = true;
    } else {
      this.queue.push(message.samples);
      this.queued += message.samples.length;
    }
  }

  process(_inputs, [[channel]]) {
    if (!this.flowing && (this.queued >= LEAD_SECONDS * sampleRate || (this.ended && this.queued))) this.flowing = true;
    let written = 0;
    while (this.flowing && written < channel.length && this.queue.length) {
      const samples = this.queue[0];
      const count = Math.min(channel.length - written, samples.length - this.offset);
      for (let index = 0; index < count; index++) {
        const value = samples[this.offset + index] / 32768;
        channel[written + index] = value;
        this.peak = Math.max(this.peak, Math.abs(value));
      }
      written += count;
      this.offset += count;
      if (this.offset === samples.length) {
        this.queue.shift();
        this.offset = 0;
      }
    }
    this.queued -= written;
    this.played += written;
    this.report(written);
    return true;
  }

  report(written) {
    this.unreported += written;
    const dry = !this.queued && (this.flowing || this.ended);
    if (this.unreported < REPORT_FRAMES && !dry) return;
    if (dry) this.flowing = false;
    const drained = dry && this.ended;
    if (drained) this.ended = false;
    this.port.postMessage({ run: this.run, played: this.played, peak: this.peak, drained });
    this.unreported = 0;
    this.peak = 0;
  }
}

registerProcessor("pcm-player", PcmPlayer);
