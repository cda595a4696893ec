// What was spoken, as a file of any format.

import { ask } from "./ask.js";
import { srt, vtt } from "./captions.js";
import { make } from "./dom.js";

const KEPT_MS = 60_000;

/** Hand a Blob to the browser as a download. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** The formats of a Recording with its cues: `[value, label]`, audio first. */
export function formatsOf(recording, cues) {
  const audio = recording.rate ? ["mp3", "wav", "opus", "aac", "flac"] : [recording.extension];
  const texts = cues.length ? ["srt", "vtt"] : [];
  return { audio: audio.map((each) => [each, each.toUpperCase()]), texts: texts.map((each) => [each, each.toUpperCase()]) };
}

/**
 * A file of a format. The studio encodes what was heard and writes into the file that its voice is synthetic; throws
 * what `ask` throws.
 */
export async function fileOf(recording, cues, format) {
  if (format === "srt") return new Blob([srt(cues)], { type: "application/x-subrip" });
  if (format === "vtt") return new Blob([vtt(cues)], { type: "text/vtt" });
  if (!recording.rate) return recording.file();
  const parameters = { response_format: format, rate: recording.rate };
  const answer = await ask("v1/audio/encode", { method: "POST", body: recording.pcm(), parameters });
  return answer.blob();
}
