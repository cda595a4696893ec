// The field for a recording of a voice: by microphone or from a file, checked by the studio, each finding with what to do.

import { askJson } from "./ask.js";
import { button, make } from "./dom.js";
import { hasMicrophone, Microphone } from "./microphone.js";
import { explained } from "./refusals.js";
import { onLanguage, said, wordElements, words } from "./words.js";

const LONGEST_SECONDS = 30;
const QUIET = 0.05;
const LOUD = 0.98;
const UNHEARD = ["NotAllowedError", "NotFoundError", "NotReadableError"];

export class SampleField {
  #root;
  #microphone;
  #checked; // what the studio said: {usable, seconds, findings, recording}
  #says = () => "";
  #newest = 0;
  file; // as it was recorded or chosen

  /** Builds itself into `root`; with `consent` it asks whether whoever is heard agrees. */
  constructor(root, { consent }) {
    this.#root = root;
    const id = root.id;
    this.record = button("", () => this.#toggle(), { class: "record" });
    this.choose = button("", () => this.input.click());
    this.input = make("input", { type: "file", accept: "audio/*,video/webm,video/mp4", hidden: true });
    this.level = make("meter", { min: 0, max: 1, low: QUIET, high: LOUD, optimum: 0.5, "data-words-label": "level" });
    this.levelWords = make("span", { class: "level-words" });
    this.levels = make("div", { class: "levels", hidden: true }, this.level, this.levelWords);
    this.status = make("p", { class: "status", role: "status" });
    this.findings = make("ul", { class: "findings", role: "list" });
    this.audio = make("audio", { controls: true, hidden: true, "data-words-label": "listenRecording" });
    this.error = make("p", { class: "error", id: `${id}-error`, hidden: true });
    this.consent = make("input", { type: "checkbox", id: `${id}-consent`, "aria-describedby": `${id}-error` });
    const agreed = make("label", { class: "check" }, this.consent, " ", make("span", { "data-words": "agrees" }));
    root.append(
      make(
        "fieldset",
        { "aria-describedby": `${id}-hint` },
        make("legend", { "data-words": "recording" }),
        make("p", { class: "hint", id: `${id}-hint`, "data-words": "recordingHint" }),
        make("div", { class: "row" }, this.record, this.choose, this.input),
        this.levels,
        this.status,
        this.findings,
        this.audio,
        ...(consent ? [agreed] : []),
        this.error,
      ),
    );
    this.input.addEventListener("change", () => this.input.files[0] && this.take(this.input.files[0]));
    onLanguage(() => this.#reword());
  }

  /** The prepared recording in base64, if there is one that can be used. */
  get recording() {
    return this.#checked?.usable ? this.#checked.recording : undefined;
  }

  /** What is still missing, in words, or undefined; shows it, too. `consent` is asked for if it is on the page. */
  fault() {
    let sentence;
    if (this.#microphone) sentence = words().stillRecording;
    else if (!this.file) sentence = words().needRecording;
    else if (!this.recording) sentence = words().needUsable;
    else if (this.consent.isConnected && !this.consent.checked) sentence = words().needConsent;
    this.error.hidden = !sentence;
    this.error.textContent = sentence ?? "";
    return sentence;
  }

  focus() {
    (this.recording && this.consent.isConnected ? this.consent : this.record).focus();
  }

  clear() {
    this.file = this.#checked = undefined;
    this.consent.checked = false;
    this.audio.hidden = true;
    this.error.hidden = true;
    this.findings.replaceChildren();
    this.#say(() => "");
  }

  /** Have a file checked. */
  async take(file) {
    this.clear();
    this.file = file;
    this.input.value = "";
    const question = ++this.#newest;
    this.#say(() => words().checking);
    const form = new FormData();
    form.append("audio_sample", file, file.name ?? "recording");
    try {
      const checked = await askJson("v1/audio/voices/check", { method: "POST", body: form });
      if (question === this.#newest) this.#show(checked);
    } catch (error) {
      if (question === this.#newest) this.#say(() => words().failed(explained(error)));
    }
  }

  #show(checked) {
    this.#checked = checked;
    const { usable, seconds } = checked;
    this.#say(() => (usable ? words().recordingGood(seconds.toFixed(1)) : words().recordingBad));
    URL.revokeObjectURL(this.audio.src);
    this.audio.src = URL.createObjectURL(this.file);
    this.audio.hidden = false;
    this.#showFindings();
  }

  #showFindings() {
    this.findings.replaceChildren(
      ...(this.#checked?.findings ?? []).map((finding) =>
        make(
          "li",
          { class: finding.level },
          make("strong", {}, finding.level === "error" ? words().findingError : words().findingWarning),
          ` ${said(finding)}`,
        ),
      ),
    );
  }

  async #toggle() {
    if (this.#microphone) await this.#end();
    else await this.#begin();
  }

  async #begin() {
    if (!hasMicrophone()) return this.#say(() => words().noMicrophone);
    this.clear();
    const microphone = new Microphone();
    try {
      await microphone.start((heard) => this.#hear(heard));
    } catch (error) {
      const name = UNHEARD.includes(error.name) ? error.name : "NotReadableError";
      return this.#say(() => words().microphone[name]);
    }
    this.#microphone = microphone;
    this.levels.hidden = false;
    this.#reword();
    return this.#say(() => words().recordingNow);
  }

  async #end() {
    const microphone = this.#microphone;
    this.#microphone = undefined;
    this.levels.hidden = true;
    this.#reword();
    await this.take(await microphone.stop());
  }

  #hear({ level, seconds }) {
    if (!this.#microphone) return;
    this.level.value = level;
    const how = level < QUIET ? words().tooQuiet : level > LOUD ? words().tooLoud : words().goodLevel;
    this.levelWords.textContent = `${how} · ${words().seconds(seconds)}`;
    if (seconds >= LONGEST_SECONDS) this.#end();
  }

  #say(sentence) {
    this.#says = sentence;
    this.status.textContent = sentence();
  }

  #reword() {
    wordElements(this.#root);
    this.record.textContent = this.#microphone ? words().endRecording : words().record;
    this.record.dataset.recording = String(Boolean(this.#microphone));
    this.choose.textContent = words().chooseFile;
    this.status.textContent = this.#says();
    if (!this.error.hidden) this.fault();
    this.#showFindings();
  }
}
