// Every word on the page, in both languages.

const WORDS = {
  en: {
    title: "Voice studio",
    lead: "Type a text, say in your own words how it should sound, and listen.",
    text: "Text",
    sample: "Hello, world! Nice to meet you.",
    characters: (count) => `${count} ${count === 1 ? "character" : "characters"}`,
    how: "How to say it",
    howPlaceholder: "In your own words: slowly, in a soft voice",
    examples: "Examples of how to say it",
    wishes: ["read it like a bedtime story, slowly", "very loud", "happy and a bit fast", "用四川话大声读出来"],
    understood: (summary) => `Understood: ${summary}`,
    unknown: (phrases) => `Not understood: ${phrases}`,
    voice: "Voice",
    speed: "Speed",
    speedValue: (speed) => `${speed} times`,
    speak: "Speak",
    stop: "Stop",
    download: "Download",
    keys: "Ctrl + Enter speaks, Esc stops.",
    needText: "Write something to speak first.",
    starting: "Starting…",
    speaking: "Speaking",
    stopped: "Stopped.",
    done: (seconds) => `Done: ${seconds} seconds of audio.`,
    failed: (reason) => `It did not work: ${reason}`,
    unreachable: "the studio cannot be reached. Check the connection and try again.",
    brokenOff: "the connection broke off.",
    automatic: "Automatic, by the text",
    other: "中文",
    otherLabel: "切换到中文",
    seconds: (played) => `${played.toFixed(1)} s`,
  },
  zh: {
    title: "语音工作室",
    lead: "写下文字，用自己的话说明怎么读，然后听。",
    text: "文字",
    sample: "你好，世界！很高兴认识你。",
    characters: (count) => `${count} 字`,
    how: "怎么读",
    howPlaceholder: "用自己的话说，例如：慢一点，小声",
    examples: "读法示例",
    wishes: ["用四川话大声读出来", "像讲睡前故事一样，慢慢地", "开心一点，快一点", "用粤语小声说"],
    understood: (summary) => `理解为：${summary}`,
    unknown: (phrases) => `没有听懂：${phrases}`,
    voice: "声音",
    speed: "语速",
    speedValue: (speed) => `${speed} 倍`,
    speak: "朗读",
    stop: "停止",
    download: "下载",
    keys: "Ctrl + Enter 朗读，Esc 停止。",
    needText: "请先写下要朗读的文字。",
    starting: "正在开始…",
    speaking: "正在朗读",
    stopped: "已停止。",
    done: (seconds) => `朗读完毕，共 ${seconds} 秒。`,
    failed: (reason) => `没有成功：${reason}`,
    unreachable: "无法连接到语音工作室，请检查网络后再试。",
    brokenOff: "连接中断了。",
    automatic: "自动：按文字的语言",
    other: "English",
    otherLabel: "Switch to English",
    seconds: (played) => `${played.toFixed(1)} 秒`,
  },
};

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

export const current = () => language;
export const words = () => WORDS[language];

export function toggle() {
  language = language === "zh" ? "en" : "zh";
  keep(language);
}

/** Put the words of the current language on everything that asks for some. */
export function applyWords() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = words().title;
  for (const element of document.querySelectorAll("[data-words]")) {
    element.textContent = words()[element.dataset.words];
  }
}
