// The page of long texts: how far each is, to stop, to save, to delete.

import { ask, askJson } from "./ask.js";
import { confirmed } from "./confirm.js";
import { at, button, languageOf, make } from "./dom.js";
import { nameOfJob } from "./job-names.js";
import { explained } from "./refusals.js";
import { save } from "./saving.js";
import { onView, view } from "./views.js";
import { locale, onLanguage, said, words } from "./words.js";

const EVERY_MS = 1000;
const FORMATS = ["mp3", "wav", "opus", "aac", "flac", "srt", "vtt"];
const UNFINISHED = ["queued", "running"];

const path = (job, rest = "") => `v1/audio/jobs/${job.id}${rest}`;
const moment = (seconds) => new Date(seconds * 1000).toLocaleString(locale());
const titleOf = (job) => nameOfJob(job.id) || job.chapters.find(Boolean) || moment(job.created_at);

/** One job in the list; it is written anew only where it has changed, so that the focus stays. */
class Entry {
  #job;

  constructor(job, act) {
    this.title = make("h3", { id: job.id, lang: languageOf(titleOf(job)) }, titleOf(job));
    this.meta = make("p", { class: "hint" });
    this.progress = make("progress", { max: 1, "aria-labelledby": job.id });
    this.note = make("p", { class: "unsure" });
    this.cancel = button("", () => act("cancel", this.#job));
    this.remove = button("", () => act("remove", this.#job));
    this.format = make("select", {}, ...FORMATS.map((format) => new Option(format.toUpperCase(), format)));
    this.download = button("", () => act("download", this.#job, this.format.value));
    this.files = make("div", { class: "row" }, this.format, this.download);
    this.element = make(
      "li",
      { class: "entry" },
      this.title,
      this.meta,
      this.progress,
      this.note,
      make("div", { class: "row" }, this.files, this.cancel, this.remove),
    );
  }

  show(job) {
    this.#job = job;
    const unfinished = UNFINISHED.includes(job.status);
    const percent = Math.floor(job.progress * 100);
    const parts = [words().jobStates[job.status], `${percent} %`, words().seconds(job.audio_seconds)];
    if (job.chapters.length > 1) parts.push(words().chapters(job.chapters.length));
    this.meta.textContent = [...parts, moment(job.created_at)].join(" · ");
    this.progress.value = job.progress;
    this.note.textContent = [...(job.error ? [explained(job.error)] : []), ...job.warnings.map(said)].join(" ");
    this.note.hidden = !this.note.textContent;
    this.cancel.hidden = !unfinished;
    this.remove.hidden = unfinished;
    this.files.hidden = job.status !== "succeeded";
    this.cancel.textContent = words().cancelJob;
    this.remove.textContent = words().remove;
    this.download.textContent = words().download;
    this.format.setAttribute("aria-label", words().saveAs);
    for (const control of [this.cancel, this.remove, this.download]) control.setAttribute("aria-describedby", job.id);
  }
}

export class Jobs {
  #entries = new Map();
  #states = new Map();
  #timer;

  constructor() {
    onView("jobs", () => this.refresh());
    onLanguage(() => view() === "jobs" && this.refresh());
  }

  /** Look how far they are, and look again as long as one is not finished and the page is in sight. */
  async refresh() {
    clearTimeout(this.#timer);
    if (view() !== "jobs") return;
    let jobs;
    try {
      jobs = (await askJson("v1/audio/jobs")).data;
    } catch (error) {
      this.#say(words().failed(explained(error)));
      this.#timer = setTimeout(() => this.refresh(), 5 * EVERY_MS);
      return;
    }
    this.#show(jobs);
    if (jobs.some((job) => UNFINISHED.includes(job.status))) this.#timer = setTimeout(() => this.refresh(), EVERY_MS);
  }

  #show(jobs) {
    at("no-jobs").hidden = jobs.length > 0;
    const gone = new Set(this.#entries.keys());
    jobs.forEach((job, place) => {
      gone.delete(job.id);
      let entry = this.#entries.get(job.id);
      if (!entry) {
        entry = new Entry(job, (...what) => this.#act(...what));
        this.#entries.set(job.id, entry);
      }
      entry.show(job);
      if (at("job-list").children[place] !== entry.element) {
        at("job-list").insertBefore(entry.element, at("job-list").children[place] ?? null);
      }
      const before = this.#states.get(job.id);
      if (before && before !== job.status) this.#say(`${titleOf(job)}: ${words().jobStates[job.status]}`);
      this.#states.set(job.id, job.status);
    });
    for (const id of gone) {
      this.#entries.get(id).element.remove();
      this.#entries.delete(id);
    }
  }

  #say(sentence) {
    at("jobs-status").textContent = sentence;
  }

  async #act(what, job, format) {
    try {
      if (what === "cancel") await ask(path(job, "/cancel"), { method: "POST" });
      if (what === "remove" && !(await this.#remove(job))) return;
      if (what === "download") await this.#download(job, format);
      await this.refresh();
    } catch (error) {
      this.#say(words().failed(explained(error)));
    }
  }

  async #remove(job) {
    if (!(await confirmed(words().removeJob(titleOf(job)), words().remove))) return false;
    await ask(path(job), { method: "DELETE" });
    this.#say(words().removed(titleOf(job)));
    at("view-jobs-title").focus();
    return true;
  }

  async #download(job, format) {
    const isText = format === "srt" || format === "vtt";
    const rest = isText ? `/subtitles.${format}` : `/audio?response_format=${format}`;
    const answer = await ask(path(job, rest));
    save(await answer.blob(), `${job.id}.${format}`);
    this.#say(words().saved(`${job.id}.${format}`));
  }
}
