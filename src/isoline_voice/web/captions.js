// The text along with the sound, and the same as files of subtitles.

import { languageOf, make } from "./dom.js";

const two = (number) => String(number).padStart(2, "0");

function time(seconds, point) {
  const milliseconds = Math.round(seconds * 1000);
  const minutes = Math.floor(milliseconds / 60_000);
  const rest = milliseconds % 60_000;
  const fraction = String(rest % 1000).padStart(3, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(Math.floor(rest / 1000))}${point}${fraction}`;
}

const line = (text) => text.split(/\s+/).join(" ").trim(); // an empty line would end the cue
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Cues of `{text, start, end}`, in seconds, as SRT. */
export function srt(cues) {
  return cues
    .map(({ text, start, end }, at) => `${at + 1}\n${time(start, ",")} --> ${time(end, ",")}\n${line(text)}\n\n`)
    .join("");
}

/** The same as WebVTT, in which `<` and `&` begin markup. */
export function vtt(cues) {
  const body = cues.map(({ text, start, end }) => `${time(start, ".")} --> ${time(end, ".")}\n${escaped(line(text))}\n\n`);
  return `WEBVTT\n\n${body.join("")}`;
}

/** Shows the sentence that is heard, with the words that were heard already set apart. */
export class Captions {
  #place;
  #shown;
  cues = [];

  constructor(place) {
    this.#place = place;
  }

  /** Begin anew with cues, each with its `words`; more may be added with `begin` and `end`. */
  show(cues = []) {
    this.cues = cues;
    this.#shown = undefined;
    this.#place.replaceChildren();
  }

  /** A sentence begins to arrive; when it ends is not known yet. */
  begin(text, start) {
    this.cues.push({ text: text.trim(), start, end: Infinity, words: [] });
  }

  /** All of the latest sentence has arrived. */
  end({ sentences, words }) {
    Object.assign(this.cues.at(-1), sentences[0], { words });
  }

  at(seconds) {
    const cue = this.cues.findLast(({ start }) => start <= seconds) ?? this.cues[0];
    if (!cue) return;
    if (cue !== this.#shown?.cue || cue.words !== this.#shown.words) this.#write(cue);
    for (const { start, element } of this.#shown.spans) element.classList.toggle("heard", start <= seconds);
  }

  #write(cue) {
    this.#place.lang = languageOf(cue.text);
    const spans = [];
    const parts = [];
    let from = 0;
    for (const { text, start } of cue.words) {
      const found = cue.text.indexOf(text, from);
      if (found < 0) continue;
      parts.push(cue.text.slice(from, found));
      const element = make("span", {}, text);
      parts.push(element);
      spans.push({ start, element });
      from = found + text.length;
    }
    parts.push(cue.text.slice(from));
    this.#place.replaceChildren(...parts);
    this.#shown = { cue, words: cue.words, spans };
  }
}
