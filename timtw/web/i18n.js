// Languages: which one is chosen, texts by key, dates and times in it.
import { english } from "./texts/en.js";
import { chinese } from "./texts/zh.js";

const TABLES = { en: english, zh: chinese };
const CHOICE = "timtw.language";
const DAY_MS = 86_400_000;

export const LANGUAGES = { en: "English", zh: "中文" };

let language = TABLES[localStorage.getItem(CHOICE)] ? localStorage.getItem(CHOICE) : guess();

function guess() {
  const wanted = navigator.languages ?? [navigator.language];
  const known = wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => TABLES[tag]);
  return known ?? "en";
}

export function currentLanguage() {
  return language;
}

export function setLanguage(tag) {
  language = tag;
  localStorage.setItem(CHOICE, tag);
  applyLanguage();
}

export function applyLanguage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
}

// The text of a key; {name} in it is replaced by values.name.
export function t(key, values = {}) {
  return TABLES[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// What to tell about a refusal in a context ("login", "send", ...); code 0 is no answer.
export function explain(context, code, values = {}) {
  const table = TABLES[language];
  const key = [`${context}.${code}`, `error.${code}`].find((name) => name in table);
  return key ? t(key, values) : t("error.other", { code });
}

export function clock(time) {
  return format(time, { hour: "2-digit", minute: "2-digit" });
}

export function dayKey(time) {
  return new Date(time).toDateString();
}

export function day(time) {
  if (dayKey(time) === dayKey(Date.now())) return t("today");
  if (dayKey(time) === dayKey(Date.now() - DAY_MS)) return t("yesterday");
  const sameYear = new Date(time).getFullYear() === new Date().getFullYear();
  const year = sameYear ? {} : { year: "numeric" };
  return format(time, { weekday: "long", day: "numeric", month: "long", ...year });
}

// Short form for lists: the time today, else the date.
export function moment(time) {
  if (dayKey(time) === dayKey(Date.now())) return clock(time);
  return format(time, { day: "numeric", month: "short" });
}

function format(time, options) {
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(time);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

// So many bytes, in a unit that one can read.
export function amount(bytes) {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const options = { style: "unit", unit: UNITS[unit], unitDisplay: "short", maximumFractionDigits: unit ? 1 : 0 };
  return new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / 1000 ** unit);
}

// Several names in one text.
export function several(names) {
  return new Intl.ListFormat(document.documentElement.lang, { style: "short" }).format(names);
}
