// Every word on the page, in the language of the moment.

import { en } from "./words-en.js";
import { zh } from "./words-zh.js";

const WORDS = { en, zh };
const KEPT = "isoline-voice.language";

// A browser that refuses storage (a private window) simply forgets the choice.
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(language) {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // Nothing to do: see kept().
  }
}

function preferred() {
  const choice = kept();
  if (choice in WORDS) return choice;
  const first = (navigator.languages ?? [navigator.language]).find((tag) => /^(zh|en)\b/i.test(tag));
  return first?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let language = preferred();
const listeners = [];

export const current = () => language;
export const words = () => WORDS[language];

/** The browser's own variant of the page's language, for dates. */
export const locale = () => navigator.languages.find((tag) => tag.startsWith(language)) ?? language;

/** What the studio says in both languages (`message` or `en`, and the same in Chinese), in that of the moment. */
export const said = (both) => (language === "zh" ? (both.message_zh ?? both.zh) : (both.message ?? both.en));

/** Call `listener` whenever the language has changed. */
export const onLanguage = (listener) => listeners.push(listener);

export function toggle() {
  language = language === "zh" ? "en" : "zh";
  keep(language);
  applyWords();
}

/** Put the words of the current language on everything that asks for some. */
export function applyWords() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = words().title;
  wordElements(document);
  for (const listener of listeners) listener();
}

/** The same for a part of the page that was made later. */
export function wordElements(root) {
  for (const element of root.querySelectorAll("[data-words]")) element.textContent = words()[element.dataset.words];
  for (const element of root.querySelectorAll("[data-words-label]")) {
    element.setAttribute("aria-label", words()[element.dataset.wordsLabel]);
  }
}
