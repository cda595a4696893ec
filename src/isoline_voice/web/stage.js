// What is heard: the speech under way with its picture, words and status, and afterwards the same again and as files.

import { Captions } from "./captions.js";
import { at, make } from "./dom.js";
import { FallbackPlayer } from "./fallback.js";
import { canPlayPieces, Player } from "./player.js";
import { Recording } from "./recording.js";
import { fileOf, formatsOf, save } from "./saving.js";
import { explained } from "./refusals.js";
import { Session } from "./session.js";
import { Peaks, Wave } from "./wave.js";
import { current, onLanguage, words } from "./words.js";

const RATE = 24000;
const QUEUED_AFTER_MS = 1200;
const MP3 = { type: "audio/mpeg", extension: "mp3" };

export class Stage {
  #player = new Player((progress) => this.#progress(progress));
  #wave = new Wave(at("wave"));
  #captions = new Captions(at("caption"));
  #running; // whatever speaks now: a Session or a FallbackPlayer
  #recording;
  #peaks = new Peaks();
  #heard = 0; // seconds
  #warned = new Set();
  #says = () => ""; // the status, in the language of the moment
  #waiting;
  #spoken;
  #onSpoken;

  /** `onSpoken({seconds, recording, cues, peaks})` is called when a text was heard to its end. */
  constructor(onSpoken) {
    this.#onSpoken = onSpoken;
    at("stop").addEventListener("click", () => this.stop());
    at("download").addEventListener("click", () => this.#download());
    at("replay").addEventListener("timeupdate", () => this.#at(at("replay").currentTime));
    onLanguage(() => this.#reword());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#wave.redraw());
    document.addEventListener("theme", () => this.#wave.redraw());
  }

  /** Speak a text; `config` is that of a session. What was spoken before makes room. */
  speak(text, config) {
    this.#clear();
    this.#state("starting", () => words().starting);
    this.#waiting = setTimeout(() => this.#state("starting", () => words().queued), QUEUED_AFTER_MS);
    if (canPlayPieces()) this.#speakPieces(text, config);
    else this.#speakWhole(text, config);
  }

  stop() {
    if (!this.#running) return;
    this.#end();
    this.#state("stopped", () => words().stopped);
    this.#showResults();
  }

  /** Put something spoken earlier back, to be heard again and saved. */
  load({ recording, cues, peaks }) {
    this.#clear();
    this.#recording = recording;
    this.#peaks = new Peaks(peaks);
    this.#captions.show(cues);
    this.#captions.at(0);
    this.#wave.show(this.#peaks);
    this.#state("loaded", () => words().loaded);
    this.#showResults();
  }

  /** Nothing could be spoken: say why. */
  fail(error) {
    this.#end();
    this.#state("failed", () => words().failed(error ? explained(error) : words().brokenOff));
    this.#showResults();
  }

  #speakPieces(text, config) {
    this.#player.open().catch((error) => this.fail(error));
    this.#recording = new Recording({ rate: RATE });
    const handlers = {
      ahead: () => this.#recording.seconds - this.#heard,
      onStart: ({ warnings, sentence_text: sentence }) => {
        this.#showWarnings(warnings);
        this.#captions.begin(sentence, this.#recording.seconds);
      },
      onSpoken: (message) => this.#captions.end(message),
      onPcm: (buffer) => {
        const samples = new Int16Array(buffer);
        this.#recording.add(buffer);
        this.#peaks.add(samples);
        this.#player.push(samples);
      },
      onDone: () => this.#player.end(),
      onError: (error) => this.fail(error),
      onUnavailable: () => this.#speakWhole(text, config),
    };
    try {
      this.#running = new Session(text, config, handlers);
    } catch {
      this.#speakWhole(text, config); // a key with letters that a WebSocket cannot carry
    }
  }

  #speakWhole(text, config) {
    this.#recording = new Recording(MP3);
    this.#running = new FallbackPlayer(
      { ...config, input: text },
      {
        onAnswer: ({ warnings }) => this.#showWarnings(warnings),
        onPiece: (buffer) => this.#recording.add(buffer),
        onProgress: (progress) => this.#progress(progress),
        onError: (error) => this.fail(error),
      },
    );
  }

  #progress({ seconds, frames, drained }) {
    if (!this.#running) return;
    document.body.dataset.frames = String(frames ?? Math.round(seconds * 1000));
    this.#at(seconds);
    if (drained) {
      this.#release(); // the device still plays what it has taken
      this.#spoken = seconds;
      this.#state("done", () => words().done(this.#spoken.toFixed(1)));
      this.#showResults();
      const { cues } = this.#captions;
      this.#onSpoken({ seconds, recording: this.#recording, cues, peaks: this.#peaks.values() });
    } else if (document.body.dataset.state === "starting") {
      clearTimeout(this.#waiting);
      this.#state("speaking", () => words().speaking);
    }
  }

  #at(seconds) {
    this.#heard = seconds;
    at("time").textContent = words().seconds(seconds);
    this.#wave.heard(seconds);
    this.#captions.at(seconds);
  }

  #end() {
    this.#release();
    this.#player.stop();
  }

  #release() {
    clearTimeout(this.#waiting);
    this.#running?.stop();
    this.#running = undefined;
    this.#wave.redraw();
  }

  #clear() {
    this.#end();
    this.#recording = undefined;
    this.#heard = 0;
    this.#peaks = new Peaks();
    this.#wave.show(this.#peaks);
    this.#captions.show();
    this.#warned = new Set();
    at("warnings").replaceChildren();
    at("warnings").hidden = true;
    at("time").textContent = "";
    at("replay").pause();
    at("results").hidden = true;
    at("replay").hidden = true;
    document.body.dataset.frames = "0";
  }

  #state(state, sentence) {
    document.body.dataset.state = state;
    this.#says = sentence;
    at("status").textContent = sentence();
    const busy = state === "starting" || state === "speaking";
    at("stop").setAttribute("aria-disabled", String(!busy));
  }

  #showResults() {
    if (!this.#recording?.bytes) return;
    // What came to no end has a last sentence without one.
    const { seconds } = this.#recording;
    for (const cue of this.#captions.cues) if (cue.end === Infinity) cue.end = seconds;
    URL.revokeObjectURL(at("replay").src);
    at("replay").src = URL.createObjectURL(this.#recording.file());
    this.#showFormats();
    at("results").hidden = false;
    at("replay").hidden = false;
  }

  #showFormats() {
    const { audio, texts } = formatsOf(this.#recording, this.#captions.cues);
    const chosen = at("format").value;
    const options = (formats) => formats.map(([value, label]) => new Option(label, value));
    const groups = [make("optgroup", { label: words().audio }, ...options(audio))];
    if (texts.length) groups.push(make("optgroup", { label: words().subtitles }, ...options(texts)));
    at("format").replaceChildren(...groups);
    if (chosen && [...audio, ...texts].some(([value]) => value === chosen)) at("format").value = chosen;
  }

  async #download() {
    const format = at("format").value;
    try {
      save(await fileOf(this.#recording, this.#captions.cues, format), `speech.${format}`);
      this.#state(document.body.dataset.state, () => words().saved(`speech.${format}`));
    } catch (error) {
      this.#state(document.body.dataset.state, () => words().notSaved(explained(error)));
    }
  }

  #showWarnings(warnings) {
    const list = at("warnings");
    for (const warning of warnings) {
      const known = warning.code + warning.message;
      if (this.#warned.has(known)) continue; // each sentence repeats them
      this.#warned.add(known);
      const item = make("li", { "data-en": warning.message, "data-zh": warning.message_zh });
      item.textContent = item.dataset[current()];
      list.append(item);
    }
    list.hidden = !list.childElementCount;
  }

  #reword() {
    at("status").textContent = this.#says();
    for (const item of at("warnings").children) item.textContent = item.dataset[current()];
    if (this.#recording) this.#showFormats();
  }
}
