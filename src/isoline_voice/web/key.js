// The key, where the studio asks for one.

import { at } from "./dom.js";
import { key, useKey } from "./ask.js";
import { words } from "./words.js";

/** `onKey()` is called when there is a key to try again with. */
export function installKey(onKey) {
  const value = at("key-value");
  document.addEventListener("key-needed", ({ detail }) => {
    const opened = at("key").hidden;
    at("key").hidden = false;
    at("key-error").hidden = !detail.wrong;
    at("key-error").textContent = detail.wrong ? words().keyWrong : "";
    if (opened || detail.wrong) value.focus();
  });
  at("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!value.value.trim()) {
      at("key-error").hidden = false;
      at("key-error").textContent = words().keyMissing;
      value.focus();
      return;
    }
    useKey(value.value.trim());
    value.value = "";
    at("key").hidden = true;
    at("key-forget").hidden = false;
    onKey();
  });
  at("key-forget").addEventListener("click", () => {
    useKey("");
    at("key-forget").hidden = true;
    onKey();
  });
  at("key-forget").hidden = !key();
}
