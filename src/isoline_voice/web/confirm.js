// A question before something is gone for good.

import { at } from "./dom.js";

/** Whether the user says yes to `question`; `yes` is what the button says. */
export function confirmed(question, yes) {
  const dialog = at("confirm");
  at("confirm-question").textContent = question;
  at("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
