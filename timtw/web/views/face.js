// The picture of somebody, with a dot that tells whether they are here.
import { avatar, h } from "../dom.js";
import { t } from "../i18n.js";

// `presence` is "here", "away", "busy" or null.
export function face(node, name, presence) {
  const dot = presence && h("span", { class: "dot " + presence },
    h("span", { class: "unseen" }, t("presence." + presence)));
  return h("span", { class: "face" }, avatar(node, name), dot || "");
}

// The picture of a group.
export function roomFace(node, name) {
  const picture = avatar(node, name);
  picture.classList.add("group");
  return h("span", { class: "face" }, picture);
}
