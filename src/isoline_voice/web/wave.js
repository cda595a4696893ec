// The strip above the buttons: how loud the speech is from its beginning to its end, and how much of it was heard.
// A picture for the eyes only, and still for who wants no motion.

const BARS = 96;
const SAMPLES_PER_PEAK = 480; // a fiftieth of a second
const SHORTEST_PEAKS = 150; // a word fills a part of the strip, not all of it

/** The highest level in each fiftieth of a second, from 0 to 1. */
export class Peaks {
  #values;
  #highest = 0;
  #counted = 0;

  constructor(values = []) {
    this.#values = values;
  }

  add(samples) {
    for (const sample of samples) {
      this.#highest = Math.max(this.#highest, Math.abs(sample));
      if (++this.#counted < SAMPLES_PER_PEAK) continue;
      this.#values.push(Math.round((this.#highest / 32768) * 100) / 100);
      this.#highest = this.#counted = 0;
    }
  }

  values() {
    return this.#values;
  }
}

export class Wave {
  #canvas;
  #peaks = new Peaks();
  #heard = 0; // seconds
  #asked = false;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(canvas) {
    this.#canvas = canvas;
    this.#draw();
  }

  show(peaks) {
    this.#peaks = peaks;
    this.#heard = 0;
    this.#draw();
  }

  heard(seconds) {
    this.#heard = seconds;
    if (!this.#still.matches) this.redraw();
  }

  /** Draw before the next frame; without motion, only when it is called for a reason such as the end. */
  redraw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#asked = false;
    const { width, height } = this.#canvas;
    const pen = this.#canvas.getContext("2d");
    const step = width / BARS;
    const values = this.#peaks.values();
    const span = Math.max(values.length, SHORTEST_PEAKS) / BARS;
    const heard = this.#heard * 50;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    for (let bar = 0; bar < BARS; bar++) {
      const from = Math.floor(bar * span);
      const part = values.slice(from, Math.max(from + 1, Math.floor((bar + 1) * span)));
      const level = part.length ? Math.max(...part) : 0;
      const tall = Math.max(4, Math.sqrt(level) * height);
      pen.globalAlpha = !part.length ? 0.25 : from < heard ? 1 : 0.5;
      pen.beginPath();
      pen.roundRect(bar * step + step * 0.25, (height - tall) / 2, step * 0.5, tall, step * 0.25);
      pen.fill();
    }
  }
}
