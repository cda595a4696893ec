// The form: what to say, how and in whose voice; what is missing is said at its field.

import { askJson } from "./ask.js";
import { Chips } from "./chips.js";
import { at, button, languageOf, showFault } from "./dom.js";
import { rememberJob } from "./job-names.js";
import { chooseMode, isRecorded, mode, MODES, showFields, showModes } from "./modes.js";
import { explained } from "./refusals.js";
import { SampleField } from "./sample.js";
import { Stage } from "./stage.js";
import { go } from "./views.js";
import { fillVoices, languageName } from "./voices.js";
import { onLanguage, words } from "./words.js";

const LANGUAGES = ["zh", "en", "ja", "ko", "de", "es", "fr", "it", "ru"];
const LARGEST_SEED = 2 ** 32;

const [form, text, how, voice, speed, seed, language, transcript] = [
  "form",
  "text",
  "how",
  "voice",
  "speed",
  "seed",
  "spoken-language",
  "transcript",
].map(at);

export class Studio {
  #sample = new SampleField(at("recorder"), { consent: true });
  #chips = new Chips({ input: how, list: at("wishes"), told: at("understood") });
  #stage;
  #said; // the fields as they were when Speak was pressed
  #example = "";

  /** `keep({fields, seconds, recording, cues, peaks})` is given all that was heard to its end. */
  constructor(keep) {
    this.#stage = new Stage((heard) => keep({ ...heard, fields: this.#said }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.speak();
    });
    text.addEventListener("input", () => {
      this.#showCount();
      showFault(text);
    });
    transcript.addEventListener("input", () => showFault(transcript));
    voice.addEventListener("change", showFields);
    speed.addEventListener("input", () => this.#showSpeed());
    at("dice").addEventListener("click", () => (seed.value = String(Math.floor(Math.random() * LARGEST_SEED))));
    at("as-job").addEventListener("click", () => this.#speakLater());
    at("open-file").addEventListener("click", () => at("text-file").click());
    at("text-file").addEventListener("change", () => this.#open(at("text-file").files[0]));
    document.addEventListener("keydown", (event) => this.#key(event));
    onLanguage(() => this.#reword());
  }

  speak() {
    if (!this.#isComplete()) return;
    this.#said = this.#fields();
    this.#stage.speak(text.value, this.#config());
  }

  /** Put back what was said once, and what was heard of it. */
  restore({ fields, ...heard }) {
    chooseMode(fields.mode in MODES ? fields.mode : "instruct");
    for (const [field, name] of [[text, "text"], [how, "how"], [speed, "speed"], [seed, "seed"]]) field.value = fields[name];
    for (const [field, name] of [[transcript, "transcript"], [language, "language"]]) field.value = fields[name];
    if ([...voice.options].some((option) => option.value === fields.voice)) voice.value = fields.voice;
    showFields();
    this.#showCount();
    this.#showSpeed();
    this.#chips.ask();
    this.#stage.load(heard);
  }

  /** The voices have changed, or can be had now. */
  refreshVoices() {
    return fillVoices(voice, { recording: mode() === "instruct" });
  }

  #fields() {
    return {
      mode: mode(),
      text: text.value,
      how: mode() === "instruct" ? how.value : "",
      voice: voice.value,
      speed: speed.value,
      seed: seed.value,
      language: language.value,
      transcript: transcript.value,
    };
  }

  #config() {
    const config = { speed: this.#speed() };
    if (mode() === "instruct") config.instructions = how.value;
    if (seed.value !== "") config.seed = Number(seed.value);
    if (language.value) config.language = language.value;
    if (!isRecorded()) return { ...config, voice: voice.value };
    if (mode() === "zero_shot") config.ref_text = transcript.value.trim();
    return { ...config, ref_audio: this.#sample.recording };
  }

  #isComplete() {
    const needsText = !text.value.trim();
    const needsTranscript = mode() === "zero_shot" && !transcript.value.trim();
    showFault(text, needsText ? words().needText : undefined);
    showFault(transcript, needsTranscript ? words().needTranscript : undefined);
    const needsSample = isRecorded() && this.#sample.fault();
    const missing = [needsText && text, needsSample && this.#sample, needsTranscript && transcript].filter(Boolean);
    missing[0]?.focus();
    return !missing.length;
  }

  async #speakLater() {
    if (!this.#isComplete()) return;
    try {
      const job = await askJson("v1/audio/jobs", { json: { ...this.#config(), input: text.value } });
      rememberJob(job.id, text.value);
      go("jobs");
    } catch (error) {
      this.#stage.fail(error);
    }
  }

  async #open(file) {
    if (!file) return;
    at("text-file").value = "";
    text.value = await file.text();
    this.#showCount();
    showFault(text);
    text.focus();
  }

  #key(event) {
    // Enter and Esc belong to the input method while it composes, and to a question that is asked.
    if (event.isComposing || at("view-speak").hidden || at("confirm").open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.speak();
    } else if (event.key === "Escape") {
      this.#stage.stop();
    }
  }

  // The slider counts doublings, so that its middle is the normal speed and each step sounds alike.
  #speed() {
    return Number((2 ** Number(speed.value)).toFixed(2));
  }

  #showSpeed() {
    at("speed-value").textContent = `${this.#speed()}×`;
    speed.setAttribute("aria-valuetext", words().speedValue(this.#speed()));
  }

  #showCount() {
    at("count").textContent = words().characters([...text.value].length);
  }

  #changeMode() {
    showFields();
    this.refreshVoices().then(showFields);
    for (const field of [text, transcript]) showFault(field);
  }

  #showExamples() {
    const group = at("examples");
    group.setAttribute("aria-label", words().examples);
    group.replaceChildren(
      ...words().wishes.map((wish) =>
        button(
          wish,
          () => {
            how.value = wish;
            this.#chips.ask();
          },
          { lang: languageOf(wish) },
        ),
      ),
    );
  }

  #reword() {
    // The example follows the language until somebody writes a text of their own.
    if (text.value === this.#example) text.value = words().sample;
    this.#example = words().sample;
    how.placeholder = words().howPlaceholder;
    if (text.hasAttribute("aria-invalid")) showFault(text, words().needText);
    if (transcript.hasAttribute("aria-invalid")) showFault(transcript, words().needTranscript);
    const chosen = language.value;
    const named = LANGUAGES.map((tag) => new Option(languageName(tag), tag));
    language.replaceChildren(new Option(words().automatic, ""), ...named);
    language.value = chosen;
    showModes(() => this.#changeMode());
    this.#showExamples();
    this.#showCount();
    this.#showSpeed();
    this.#chips.ask();
    this.#changeMode();
  }
}

