// The page of what was spoken on this device: to hear it again, to go on from it, to forget it.

import { confirmed } from "./confirm.js";
import { at, button, languageOf, make } from "./dom.js";
import { clear, entries, keep, remove } from "./history-store.js";
import { Recording } from "./recording.js";
import { go, onView, view } from "./views.js";
import { locale, onLanguage, words } from "./words.js";

const KEPT = "isoline-voice.keep-history";

function wanted() {
  try {
    return localStorage.getItem(KEPT) !== "no";
  } catch {
    return true;
  }
}

export class History {
  #restore;

  /** `restore({fields, recording, cues, peaks})` puts an entry back into the form. */
  constructor(restore) {
    this.#restore = restore;
    at("keep-history").checked = wanted();
    at("keep-history").addEventListener("change", ({ target }) => {
      try {
        localStorage.setItem(KEPT, target.checked ? "yes" : "no");
      } catch {
        // It counts for as long as the page is open.
      }
    });
    at("clear-history").addEventListener("click", () => this.#clear());
    onView("history", () => this.refresh());
    onLanguage(() => view() === "history" && this.refresh());
  }

  /** Keep what was heard to its end, unless the user does not want that. */
  async keep({ fields, seconds, recording, cues, peaks }) {
    if (!at("keep-history").checked) return;
    const { rate, type, extension } = recording;
    const entry = { at: Date.now(), fields, seconds, cues, peaks, audio: recording.pcm(), kind: { rate, type, extension } };
    await keep(entry).catch(() => {}); // a full disk or a private window: what was heard was heard
  }

  async refresh() {
    const kept = await entries().catch(() => undefined);
    at("no-history").hidden = Boolean(kept?.length);
    at("no-history").textContent = kept ? words().noHistory : words().historyUnavailable;
    at("clear-history").hidden = !kept?.length;
    at("history-list").replaceChildren(...(kept ?? []).map((entry) => this.#entry(entry)));
  }

  #entry(entry) {
    const { fields, seconds, at: when } = entry;
    const id = `spoken-${entry.id}`;
    const told = [words().modes[fields.mode].name, fields.how, words().seconds(seconds)].filter(Boolean);
    const controls = [
      button(words().useAgain, () => this.#use(entry)),
      button(words().remove, () => this.#remove(entry)),
    ];
    for (const control of controls) control.setAttribute("aria-describedby", id);
    return make(
      "li",
      { class: "entry" },
      make("h3", { id, class: "excerpt", lang: languageOf(fields.text) }, fields.text),
      make("p", { class: "hint" }, `${told.join(" · ")} · ${new Date(when).toLocaleString(locale())}`),
      make("div", { class: "row" }, ...controls),
    );
  }

  #use({ fields, cues, peaks, audio, kind }) {
    go("speak");
    this.#restore({ fields, cues, peaks, recording: Recording.of(audio, kind) });
  }

  async #remove(entry) {
    await remove(entry.id);
    await this.refresh();
    at("history-status").textContent = words().removed(entry.fields.text.slice(0, 40));
    at("view-history-title").focus();
  }

  async #clear() {
    if (!(await confirmed(words().clearHistoryQuestion, words().clearHistory))) return;
    await clear();
    await this.refresh();
    at("history-status").textContent = words().historyCleared;
    at("view-history-title").focus();
  }
}
