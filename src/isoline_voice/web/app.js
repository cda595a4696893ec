// The page: what is typed goes out, what comes back is heard, and all that happens is said in words.

import { FallbackPlayer } from "./fallback.js";
import { Meter } from "./meter.js";
import { canPlayPieces, Player } from "./player.js";
import { Recording } from "./recording.js";
import { Session } from "./session.js";
import { understand } from "./understood.js";
import { fillVoices } from "./voices.js";
import { applyWords, current, toggle, words } from "./words.js";

const at = (id) => document.getElementById(id);
const [form, text, how, voice, speed] = ["form", "text", "how", "voice", "speed"].map(at);
const meter = new Meter(at("meter"));
const player = new Player(onProgress);

let running; // whatever speaks now: a Session or a FallbackPlayer
let recording;
let received = 0; // seconds
let heard = 0; // seconds
let warned = new Set();
let says = () => ""; // the status, in the language of the moment

function setState(state, sentence) {
  document.body.dataset.state = state;
  says = sentence;
  at("status").textContent = says();
  const busy = state === "starting" || state === "speaking";
  at("stop").setAttribute("aria-disabled", String(!busy));
  at("download").setAttribute("aria-disabled", String(busy || !recording?.bytes));
}

function onProgress({ seconds, frames, peak, drained }) {
  if (!running) return;
  heard = seconds;
  document.body.dataset.frames = String(frames ?? Math.round(seconds * 1000));
  at("time").textContent = words().seconds(seconds);
  if (peak !== undefined) meter.add(peak);
  if (drained) {
    running = undefined;
    setState("done", () => words().done(seconds.toFixed(1)));
  } else if (document.body.dataset.state === "starting") {
    setState("speaking", () => words().speaking);
  }
}

function showWarnings(warnings) {
  const list = at("warnings");
  for (const warning of warnings) {
    const key = warning.code + warning.message;
    if (warned.has(key)) continue; // each sentence repeats them
    warned.add(key);
    const item = document.createElement("li");
    item.dataset.en = warning.message;
    item.dataset.zh = warning.message_zh;
    item.textContent = item.dataset[current()];
    list.append(item);
  }
  list.hidden = !list.childElementCount;
}

function reset() {
  running?.stop?.();
  running?.close?.();
  running = undefined;
  player.stop();
  meter.clear();
  received = heard = 0;
  warned = new Set();
  at("warnings").replaceChildren();
  at("warnings").hidden = true;
  at("time").textContent = "";
  document.body.dataset.frames = "0";
}

function fail(reason) {
  running?.stop?.();
  running = undefined;
  player.stop();
  setState("failed", () => words().failed(reason ?? words().brokenOff));
}

function speak() {
  const missing = !text.value.trim();
  showTextError(missing);
  if (missing) return;
  reset();
  recording = undefined;
  setState("starting", () => words().starting);
  const config = { voice: voice.value, instructions: how.value, speed: chosenSpeed() };
  if (canPlayPieces()) speakPieces(config);
  else speakWhole(config);
}

function speakPieces(config) {
  player.open().catch((error) => fail(error.message));
  const kept = new Recording({ rate: 24000 });
  recording = kept;
  running = new Session(text.value, config, {
    ahead: () => received - heard,
    onStart: ({ warnings }) => showWarnings(warnings),
    onPcm: (buffer) => {
      received += buffer.byteLength / 2 / 24000;
      kept.add(buffer);
      player.push(new Int16Array(buffer));
    },
    onDone: () => player.end(),
    onError: fail,
    onUnavailable: () => speakWhole(config),
  });
}

function speakWhole(config) {
  const kept = new Recording({ type: "audio/mpeg", extension: "mp3" });
  recording = kept;
  running = new FallbackPlayer(
    { ...config, input: text.value },
    {
      onAnswer: ({ warnings }) => showWarnings(warnings),
      onPiece: (buffer) => kept.add(buffer),
      onProgress,
      onError: (reason) => fail(reason ?? words().unreachable),
    },
  );
}

function stop() {
  if (!running) return;
  running.stop?.();
  running.close?.();
  running = undefined;
  player.stop();
  setState("stopped", () => words().stopped);
}

function download() {
  if (at("download").getAttribute("aria-disabled") === "true") return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(recording.file());
  link.download = `speech.${recording.extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function showTextError(missing) {
  const error = at("text-error");
  error.hidden = !missing;
  error.textContent = missing ? words().needText : "";
  if (!missing) return text.removeAttribute("aria-invalid");
  text.setAttribute("aria-invalid", "true");
  return text.focus();
}

function showCount() {
  at("count").textContent = words().characters([...text.value].length);
}

function showSpeed() {
  at("speed-value").textContent = `${chosenSpeed()}×`;
  speed.setAttribute("aria-valuetext", words().speedValue(chosenSpeed()));
}

// The slider counts doublings, so that its middle is the normal speed and each step sounds alike.
function chosenSpeed() {
  return Number((2 ** Number(speed.value)).toFixed(2));
}

function showExamples() {
  const group = at("examples");
  group.setAttribute("aria-label", words().examples);
  group.replaceChildren(
    ...words().wishes.map((wish) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = wish;
      button.lang = /\p{Script=Han}/u.test(wish) ? "zh-Hans" : "en";
      button.addEventListener("click", () => {
        how.value = wish;
        understand(how.value, at("understood"));
      });
      return button;
    }),
  );
}

let sample = "";

function showLanguage() {
  applyWords();
  // The sample follows the language until somebody writes a text of their own.
  if (text.value === sample) text.value = words().sample;
  sample = words().sample;
  how.placeholder = words().howPlaceholder;
  const other = at("language");
  other.textContent = words().other;
  other.setAttribute("aria-label", words().otherLabel);
  other.lang = current() === "zh" ? "en" : "zh-Hans";
  at("status").textContent = says();
  for (const item of at("warnings").children) item.textContent = item.dataset[current()];
  showExamples();
  showCount();
  showSpeed();
  understand(how.value, at("understood"));
  fillVoices(voice);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  speak();
});
at("stop").addEventListener("click", stop);
at("download").addEventListener("click", download);
at("language").addEventListener("click", () => {
  toggle();
  showLanguage();
});
text.addEventListener("input", () => {
  showCount();
  showTextError(false);
});
how.addEventListener("input", () => understand(how.value, at("understood")));
speed.addEventListener("input", showSpeed);
document.addEventListener("keydown", (event) => {
  if (event.isComposing) return; // Enter and Esc belong to the input method while it composes
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    speak();
  } else if (event.key === "Escape") {
    stop();
  }
});

showLanguage();
