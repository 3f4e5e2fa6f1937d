"""What keeps people from reading a page or from working on it, asked of a browser.

The rules are those of WCAG 2.2 that a program can decide: contrast (1.4.3), names and roles (1.1.1,
4.1.2), headings and landmarks (1.3.1), what scrolls and cannot be reached by keys (2.1.1), the
order of focus (2.4.3), the size of targets (2.5.8).
"""

from __future__ import annotations

COMPLAINTS = r"""
(() => {
  const found = new Set();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const visible = (e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length;
  const short = (e) => e.textContent.trim().slice(0, 40);
  const name = (e) => (e.getAttribute("aria-label") || e.closest("label")?.textContent
    || document.getElementById(e.getAttribute("aria-labelledby"))?.textContent
    || e.textContent).trim();

  const colour = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return {parts: [r, g, b], a};
  };
  const light = ({parts}) => {
    const linear = parts.map((part) => part / 255)
      .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2];
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const behind = colour(getComputedStyle(e).backgroundColor);
      if (behind.a) { return behind; }
    }
    return {parts: [255, 255, 255]};
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !visible(e)) { continue; }
    if (e.closest(".unseen, button:disabled")) { continue; }
    const style = getComputedStyle(e);
    const [more, less] = [light(colour(style.color)), light(ground(e))].sort((a, b) => b - a);
    const ratio = (more + .05) / (less + .05);
    if (ratio < 4.5) { found.add(`contrast ${ratio.toFixed(2)}: ${short(e)}`); }
  }

  const levels = all("h1,h2,h3,h4,h5,h6").filter(visible).map((h) => Number(h.tagName[1]));
  levels.forEach((level, n) => {
    if (level - (levels[n - 1] || 0) > 1) { found.add(`heading ${level} after ${levels[n - 1]}`); }
  });
  for (const one of ["h1", "main", "header", "footer"]) {
    if (all(one).length !== 1) { found.add(`${all(one).length} of ${one}`); }
  }
  if (!document.documentElement.lang || !document.title) { found.add("no language or title"); }
  if (all("img:not([alt]), img[alt='']").length) { found.add("a picture without words"); }
  all("a, button, input, summary, nav, [role=region], [role=img]").forEach((e) => {
    if (visible(e) && !name(e)) { found.add(`no name: ${e.outerHTML.slice(0, 60)}`); }
  });
  all("th:not([scope])").forEach((e) => found.add(`a head of nothing: ${short(e)}`));
  all("[id]").forEach((e) => {
    if (document.getElementById(e.id) !== e) { found.add(`twice: ${e.id}`); }
  });
  if (all("[tabindex]").some((e) => e.tabIndex > 0)) { found.add("an order of its own"); }
  all("*").filter(visible).forEach((e) => {
    const moves = /auto|scroll/.test(getComputedStyle(e).overflowX);
    if (moves && e.scrollWidth > e.clientWidth && e.tabIndex < 0) {
      found.add(`cannot be scrolled by keys: ${short(e)}`);
    }
  });
  all("a, button, summary, label").filter(visible).forEach((e) => {
    const {width, height} = e.getBoundingClientRect();
    const within = getComputedStyle(e).display === "inline";
    if (!within && Math.min(width, height) < 24) { found.add(`hard to hit: ${short(e)}`); }
  });
  return [...found];
})()
"""
