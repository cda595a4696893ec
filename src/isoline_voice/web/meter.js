// The strip above the buttons: how loud it was, from left to right. Decoration only, and still for who wants no motion.

const BARS = 96;

export class Meter {
  #canvas;
  #levels = [];
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(canvas) {
    this.#canvas = canvas;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    this.clear();
  }

  clear() {
    this.#levels = [];
    this.#draw();
  }

  add(level) {
    if (this.#still.matches) return;
    this.#levels.push(level);
    if (this.#levels.length > BARS) this.#levels.shift();
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const { width, height } = this.#canvas;
    const pen = this.#canvas.getContext("2d");
    const step = width / BARS;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    for (let bar = 0; bar < BARS; bar++) {
      const level = this.#levels[this.#levels.length - BARS + bar] ?? 0;
      const tall = Math.max(4, Math.sqrt(level) * height);
      pen.globalAlpha = level ? 0.9 : 0.25;
      pen.beginPath();
      pen.roundRect(bar * step + step * 0.25, (height - tall) / 2, step * 0.5, tall, step * 0.25);
      pen.fill();
    }
  }
}
