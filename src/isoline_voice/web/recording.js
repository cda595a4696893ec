// What was heard, kept for the download.

const PART_BYTES = 1 << 20;

function header(bytes, rate) {
  const view = new DataView(new ArrayBuffer(44));
  const ascii = (at, text) => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  ascii(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

/** Pieces of one recording. They move into Blobs, which a browser may keep on disk: hours of speech fit. */
export class Recording {
  #parts = [];
  #loose = [];
  #looseBytes = 0;
  bytes = 0;

  /** `rate` in hertz for PCM; without it the pieces are a file as they are, of `type`. */
  constructor({ rate, type = "audio/wav", extension = "wav" }) {
    this.rate = rate;
    this.type = type;
    this.extension = extension;
  }

  add(buffer) {
    this.#loose.push(buffer);
    this.#looseBytes += buffer.byteLength;
    this.bytes += buffer.byteLength;
    if (this.#looseBytes < PART_BYTES) return;
    this.#parts.push(new Blob(this.#loose));
    this.#loose = [];
    this.#looseBytes = 0;
  }

  /** What was added, as it is. */
  pcm() {
    return new Blob([...this.#parts, ...this.#loose], { type: this.rate ? "audio/pcm" : this.type });
  }

  file() {
    const head = this.rate ? [header(this.bytes, this.rate)] : [];
    return new Blob([...head, this.pcm()], { type: this.type });
  }

  /** How long PCM lasts. */
  get seconds() {
    return this.rate ? this.bytes / 2 / this.rate : 0;
  }

  /** A recording of a Blob that `pcm` gave. */
  static of(blob, options) {
    const made = new Recording(options);
    made.#parts = [blob];
    made.bytes = blob.size;
    return made;
  }
}
