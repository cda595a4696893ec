// The page: its parts, and what one has to do with the other.

import { at } from "./dom.js";
import { History } from "./history.js";
import { Jobs } from "./jobs.js";
import { installKey } from "./key.js";
import { Studio } from "./studio.js";
import { installTheme } from "./theme.js";
import { installViews } from "./views.js";
import { loadVoices } from "./voices.js";
import { VoicesPage } from "./voices-page.js";
import { applyWords, current, onLanguage, toggle, words } from "./words.js";

const studio = new Studio((heard) => history.keep(heard));
const history = new History((entry) => studio.restore(entry));
const voices = new VoicesPage(() => studio.refreshVoices());
const jobs = new Jobs();

onLanguage(() => {
  const other = at("language");
  other.textContent = words().other;
  other.setAttribute("aria-label", words().otherLabel);
  other.lang = current() === "zh" ? "en" : "zh-Hans";
});
at("language").addEventListener("click", toggle);

installTheme();
installKey(async () => {
  await loadVoices({ anew: true }).catch(() => {}); // a wrong key is asked for again
  studio.refreshVoices();
  voices.refresh();
  jobs.refresh();
});
applyWords();
installViews();
