// Says while one types what the studio makes of it.

import { current, words } from "./words.js";

const PAUSE_MS = 250;

let timer;
let newest = 0;

/** Ask, after a pause in typing, how `wish` is understood, and write it into `place`. */
export function understand(wish, place) {
  clearTimeout(timer);
  newest += 1;
  if (!wish.trim()) {
    place.replaceChildren();
    return;
  }
  timer = setTimeout(() => ask(wish, place, newest), PAUSE_MS);
}

async function ask(wish, place, question) {
  const url = new URL("v1/styles", document.baseURI);
  url.searchParams.set("text", wish);
  let answer;
  try {
    answer = await (await fetch(url)).json();
  } catch {
    answer = undefined; // the line is a help; Speak says what is wrong
  }
  if (question !== newest) return; // somebody typed on meanwhile
  place.replaceChildren(...(answer?.style ? lines(answer) : []));
}

function lines({ style, unsupported }) {
  const summary = current() === "zh" ? style.summary_zh : style.summary;
  const told = summary ? [document.createTextNode(words().understood(summary))] : [];
  const unsure = unsupported.map((warning) => (current() === "zh" ? warning.message_zh : warning.message));
  if (style.unknown?.length) unsure.push(words().unknown(style.unknown.join(current() === "zh" ? "、" : ", ")));
  const line = (sentence) => Object.assign(document.createElement("span"), { className: "unsure", textContent: sentence });
  return [...told, ...unsure.map(line)];
}
