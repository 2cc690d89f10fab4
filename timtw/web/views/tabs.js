// Tabs: one of several panels is shown; arrow keys change between them.
import { h, setText } from "../dom.js";
import { t } from "../i18n.js";

// `tabs` are {name, label, panel, count() -> {number, words}}; `chosen(name)` is called.
export function tabsView(label, tabs, chosen) {
  const buttons = new Map(tabs.map(({ name, label: text }) => [name, h("button", {
    type: "button", role: "tab", id: "tab-" + name, "aria-controls": "panel-" + name,
    onclick: () => choose(name), onkeydown: key,
  }, h("span", {}, text), h("span", { class: "badge", hidden: true }))]));
  for (const { name, panel } of tabs) {
    panel.id = "panel-" + name;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", "tab-" + name);
  }
  const element = h("div", { class: "tabs", role: "tablist", "aria-label": label },
    ...buttons.values());

  function choose(name) {
    show(name);
    chosen(name);
  }

  function show(name) {
    for (const tab of tabs) {
      const selected = tab.name === name;
      buttons.get(tab.name).setAttribute("aria-selected", String(selected));
      buttons.get(tab.name).tabIndex = selected ? 0 : -1;
      tab.panel.hidden = !selected;
    }
  }

  // A tab that is not offered is not there.
  function offer(name, offered) {
    buttons.get(name).hidden = !offered;
  }

  function key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const names = tabs.map(({ name }) => name).filter((name) => !buttons.get(name).hidden);
    const at = names.findIndex((name) => buttons.get(name) === event.currentTarget);
    const name = names[(at + step + names.length) % names.length];
    choose(name);
    buttons.get(name).focus();
  }

  function update() {
    for (const { name, count } of tabs) {
      const { number, words } = count();
      const badge = buttons.get(name).lastChild;
      badge.hidden = !number;
      setText(badge, number ? String(number) : "");
      badge.setAttribute("aria-label", number ? t(words, { count: number }) : "");
    }
  }

  return { element, offer, show, update };
}
