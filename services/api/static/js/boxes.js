// Boxes over a clean picture, as SVG in fractions of it; the picture itself is never painted on.

import { h, svg } from "./dom.js";
import { kindOf, percent } from "./words.js";

const share = (value) => `${(value * 100).toFixed(3)}%`;

function rect([left, top, right, bottom], props) {
  return svg("rect", {
    x: share(left), y: share(top), width: share(right - left), height: share(bottom - top), rx: 2, ...props,
  });
}

// For a picture shown whole: boxes with captions.
export function captionedBoxes(snapshot) {
  const boxes = snapshot.detections.map((each, index) =>
    svg("g", { "data-index": index, class: `box ${kindOf(each.label)}` },
      rect(each.box, { class: "under" }), rect(each.box, { class: "line" })));
  const captions = snapshot.detections.map((each, index) => {
    const caption = h("span", { class: `caption ${kindOf(each.label)}`, data: { index } },
      each.label, h("b", {}, percent(each.confidence)));
    const [left, top, right] = each.box;
    if (left > 0.7) caption.style.right = share(1 - right);
    else caption.style.left = share(left);
    caption.style.top = share(top);
    if (top < 0.06) caption.classList.add("inside");
    return caption;
  });
  return h("div", { class: "overlay", "aria-hidden": "true" }, svg("svg", { class: "boxes" }, boxes), captions);
}

// For a thumbnail that its frame crops: the same crop is made by `slice`.
export function croppedBoxes(snapshot, width, height) {
  const boxes = snapshot.detections.map(({ label, box: [left, top, right, bottom] }) => {
    const place = {
      x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height,
    };
    return svg("g", { class: `box ${kindOf(label)}` },
      svg("rect", { ...place, class: "under" }), svg("rect", { ...place, class: "line" }));
  });
  return svg("svg", {
    class: "boxes", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true",
  }, boxes);
}
