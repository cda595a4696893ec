// What was understood of the wish, as chips: one is changed or taken away, and the sentence says the same.

import { askJson } from "./ask.js";
import { button, make } from "./dom.js";
import { current, said, words } from "./words.js";

const PAUSE_MS = 250;

let choices; // by field, fetched once

async function offered() {
  choices ??= await askJson("v1/styles/choices");
  return choices;
}

const joined = (phrases) => phrases.join(current() === "zh" ? "，" : ", ");

export class Chips {
  #input;
  #list;
  #told;
  #timer;
  #newest = 0;
  #wishes = []; // of the studio, each `{field, en, zh}`; what was not understood has the field "unknown"

  /** `input` holds the sentence, `list` gets the chips and `told` the words for a screen reader and what is unsure. */
  constructor({ input, list, told }) {
    this.#input = input;
    this.#list = list;
    this.#told = told;
    input.addEventListener("input", () => this.ask());
  }

  /** Ask, after a pause in typing, how the sentence is understood. */
  ask() {
    clearTimeout(this.#timer);
    this.#newest += 1;
    const question = this.#newest;
    if (this.#input.value.trim()) this.#timer = setTimeout(() => this.#ask(question), PAUSE_MS);
    else this.#show({ wishes: [], style: {}, unsupported: [] });
  }

  async #ask(question) {
    try {
      const parameters = { text: this.#input.value };
      const [answer] = await Promise.all([askJson("v1/styles", { parameters }), offered()]);
      if (question === this.#newest) this.#show(answer); // else somebody typed on meanwhile
    } catch {
      if (question === this.#newest) this.#told.replaceChildren(); // a help only; Speak says what is wrong
    }
  }

  #show({ wishes, style, unsupported }) {
    const unknown = (style.unknown ?? []).map((phrase) => ({ field: "unknown", en: phrase, zh: phrase }));
    this.#wishes = [...wishes, ...unknown];
    this.#list.hidden = !this.#wishes.length;
    this.#list.setAttribute("aria-label", words().understoodLabel);
    this.#list.replaceChildren(...this.#wishes.map((wish, index) => this.#chip(wish, index)));
    const summary = current() === "zh" ? style.summary_zh : style.summary;
    const unsure = unsupported.map(said);
    if (unknown.length) unsure.push(words().unknown(style.unknown.join(current() === "zh" ? "、" : ", ")));
    this.#told.replaceChildren(
      ...(summary ? [make("span", { class: "unseen" }, words().understood(summary))] : []),
      ...unsure.map((sentence) => make("p", { class: "unsure" }, sentence)),
    );
  }

  #chip(wish, index) {
    const name = said(wish);
    const drop = button("", () => this.#replace(index), { class: "drop", "aria-label": words().dropWish(name) });
    drop.append(make("span", { "aria-hidden": "true" }, "×"));
    const item = make("li", { class: `chip ${wish.field === "unknown" ? "unsure" : ""}` });
    item.append(wish.field in (choices ?? {}) ? this.#select(wish, index) : make("span", { class: "plain" }, name), drop);
    return item;
  }

  #select(wish, index) {
    const select = make("select", { "aria-label": words().fields[wish.field] });
    const known = choices[wish.field];
    const others = known.some((choice) => choice.en === wish.en) ? known : [wish, ...known];
    for (const choice of others) {
      select.append(new Option(said(choice), choice.en, choice.en === wish.en, choice.en === wish.en));
    }
    select.addEventListener("change", () => {
      this.#replace(
        index,
        others.find((choice) => choice.en === select.value),
      );
    });
    return select;
  }

  /** Another wish in the place of one, or none; the focus stays near. */
  #replace(index, wish) {
    const left = this.#wishes.toSpliced(index, 1, ...(wish ? [wish] : []));
    this.#input.value = joined(left.map(said));
    const chips = this.#list.children;
    this.#show({ wishes: left.filter((each) => each.field !== "unknown"), style: this.#style(left), unsupported: [] });
    const near = chips[Math.min(index, chips.length - 1)];
    (near?.querySelector(wish ? "select" : "button") ?? this.#input).focus();
    this.#announceLater();
  }

  #style(wishes) {
    const unknown = wishes.filter((wish) => wish.field === "unknown").map((wish) => wish.en);
    const summary = (language) => wishes.filter((wish) => wish.field !== "unknown").map((wish) => wish[language]);
    return { unknown, summary: summary("en").join(", "), summary_zh: summary("zh").join("，") };
  }

  // What the engine cannot do comes from the studio, without exchanging the chips under the user's hand.
  #announceLater() {
    clearTimeout(this.#timer);
    const question = ++this.#newest;
    if (!this.#input.value) return;
    this.#timer = setTimeout(async () => {
      const answer = await askJson("v1/styles", { parameters: { text: this.#input.value } }).catch(() => undefined);
      if (!answer || question !== this.#newest) return;
      this.#told.append(...answer.unsupported.map((warning) => make("p", { class: "unsure" }, said(warning))));
    }, PAUSE_MS);
  }
}
