// The page of voices: one's own, made from a recording with consent, renamed, carried away, deleted.

import { ask, askJson } from "./ask.js";
import { confirmed } from "./confirm.js";
import { at, button, make, showFault } from "./dom.js";
import { explained } from "./refusals.js";
import { SampleField } from "./sample.js";
import { save } from "./saving.js";
import { onView, view } from "./views.js";
import { languageName, loadVoices } from "./voices.js";
import { locale, onLanguage, words } from "./words.js";

const PATH = "v1/audio/voices";
const [name, transcript, by, consent] = ["voice-name", "voice-transcript", "consent-by", "consent-words"].map(at);
const path = (voice, rest = "") => `${PATH}/${voice.id}${rest}`;

export class VoicesPage {
  #sample = new SampleField(at("voice-recorder"), { consent: false });
  #says = () => "";
  #suggested = "";
  #onChange;

  /** `onChange()` is called when there are other voices than before. */
  constructor(onChange) {
    this.#onChange = onChange;
    at("voice-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try(() => this.#add());
    });
    for (const field of [name, by, consent]) field.addEventListener("input", () => showFault(field));
    at("import-voice").addEventListener("click", () => at("voice-file").click());
    at("voice-file").addEventListener("change", () => this.#try(() => this.#import(at("voice-file").files[0])));
    onView("voices", () => this.refresh());
    onLanguage(() => this.#reword());
  }

  async refresh() {
    await this.#try(async () => {
      const { own, offered } = await loadVoices({ anew: true });
      at("no-voices").hidden = own.length > 0;
      at("own-voices").replaceChildren(...own.map((voice) => this.#entry(voice)));
      at("offered-voices").replaceChildren(...offered.map(offer));
    });
  }

  #entry(voice) {
    const when = new Date(voice.consent.at * 1000).toLocaleDateString(locale());
    const title = make("h3", { id: voice.id }, voice.name);
    const entry = make(
      "li",
      { class: "entry" },
      title,
      make("p", { class: "hint" }, `${words().seconds(voice.seconds)} · ${words().agreedBy(voice.consent.by, when)}`),
    );
    const controls = [
      button(words().listen, () => this.#try(() => this.#listen(voice, entry))),
      button(words().rename, () => this.#rename(voice, title)),
      button(words().exportVoice, () => this.#try(() => this.#export(voice))),
      button(words().remove, () => this.#try(() => this.#remove(voice))),
    ];
    for (const control of controls) control.setAttribute("aria-describedby", voice.id);
    entry.append(make("div", { class: "row" }, ...controls));
    return entry;
  }

  async #listen(voice, entry) {
    const blob = await (await ask(path(voice, "/recording"))).blob();
    entry.querySelector("audio")?.remove();
    const audio = make("audio", { controls: true, src: URL.createObjectURL(blob), "aria-label": voice.name });
    entry.append(audio);
    await audio.play();
  }

  #rename(voice, title) {
    if (title.hidden) return;
    const input = make("input", { type: "text", value: voice.name, maxLength: 64, "aria-label": words().voiceName });
    const form = make("form", { class: "row tight" }, input, make("button", { type: "submit" }, words().keep));
    const finish = (keep) => {
      const wanted = input.value.trim();
      form.remove();
      title.hidden = false;
      title.parentElement.querySelectorAll("button")[1].focus();
      if (keep && wanted && wanted !== voice.name) this.#try(() => this.#renamed(voice, wanted));
    };
    form.append(button(words().cancel, () => finish(false)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      finish(true);
    });
    form.addEventListener("keydown", (event) => event.key === "Escape" && finish(false));
    title.hidden = true;
    title.after(form);
    input.select();
  }

  async #renamed(voice, wanted) {
    await ask(path(voice), { method: "PATCH", body: JSON.stringify({ name: wanted }) });
    await this.#changed(() => words().renamed(wanted));
    at(voice.id)?.parentElement.querySelectorAll("button")[1].focus();
  }

  async #export(voice) {
    save(await (await ask(path(voice, "/export"))).blob(), `${voice.name}.zip`);
    this.#say(() => words().saved(`${voice.name}.zip`));
  }

  async #remove(voice) {
    if (!(await confirmed(words().removeVoice(voice.name), words().remove))) return;
    await ask(path(voice), { method: "DELETE" });
    await this.#changed(() => words().removed(voice.name));
    at("view-voices-title").focus();
  }

  async #import(file) {
    if (!file) return;
    at("voice-file").value = "";
    const form = new FormData();
    form.append("archive", file, file.name);
    const voice = await askJson(`${PATH}/import`, { method: "POST", body: form });
    await this.#changed(() => words().added(voice.name));
  }

  async #add() {
    if (!this.#isComplete()) return;
    const form = new FormData();
    form.append("audio_sample", this.#sample.file, "recording");
    const fields = { name, ref_text: transcript, consent_by: by, consent };
    for (const [key, field] of Object.entries(fields)) form.append(key, field.value.trim());
    const voice = await askJson(PATH, { method: "POST", body: form });
    for (const field of [name, transcript, by]) field.value = "";
    this.#sample.clear();
    await this.#changed(() => words().added(voice.name));
  }

  #isComplete() {
    const noSample = this.#sample.fault();
    const missing = [...(noSample ? [this.#sample] : [])];
    for (const [field, sentence] of [[name, words().needName], [by, words().needBy], [consent, words().needWords]]) {
      const empty = !field.value.trim();
      showFault(field, empty ? sentence : undefined);
      if (empty) missing.push(field);
    }
    missing[0]?.focus();
    return !missing.length;
  }

  async #changed(sentence) {
    await this.refresh();
    this.#say(sentence);
    this.#onChange();
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      this.#say(() => words().failed(explained(error)));
    }
  }

  #say(sentence) {
    this.#says = sentence;
    at("voices-status").textContent = sentence();
  }

  #reword() {
    // The suggested words follow the language until somebody writes their own.
    if (consent.value === this.#suggested) consent.value = words().suggestedConsent;
    this.#suggested = words().suggestedConsent;
    at("voices-status").textContent = this.#says();
    if (view() === "voices") this.refresh();
  }
}

function offer(voice) {
  const language = make("span", { class: "hint" }, languageName(voice.language));
  return make("li", {}, make("span", { lang: voice.language }, voice.name), " ", language);
}
