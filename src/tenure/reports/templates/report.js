"use strict";
// Filters and sorts what the page already shows. Without it nothing is missing.
(() => {
  const tools = document.querySelector("form.tools");
  const list = document.getElementById("rules");
  const rules = [...list.querySelectorAll("section.rule")];
  const all = [...list.querySelectorAll("details.finding")];
  if (!all.length) return;
  const told = tools.querySelector("output");
  const opener = tools.elements.open;
  const compare = {
    severity: (a, b) => a.dataset.rank - b.dataset.rank,
    count: (a, b) => b.dataset.count - a.dataset.count || a.dataset.rank - b.dataset.rank,
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
  };

  function filter() {
    const words = tools.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set([...tools.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    let left = 0;
    for (const rule of rules) {
      let here = 0;
      for (const finding of rule.querySelectorAll("details.finding")) {
        const match = words.every((word) => finding.dataset.text.includes(word));
        finding.hidden = !match;
        here += match ? 1 : 0;
      }
      rule.hidden = !severities.has(rule.dataset.severity) || !here;
      left += rule.hidden ? 0 : here;
      const rest = rule.querySelector("details.rest");
      if (rest && words.length) rest.open = true;
    }
    told.textContent = left === all.length ? "" : `${left} of ${all.length} findings in this page`;
  }

  function sort() {
    list.append(...rules.sort(compare[tools.elements.order.value]));
  }

  function openAll() {
    const open = opener.textContent === "Open all";
    for (const part of list.querySelectorAll("details")) part.open = open;
    opener.textContent = open ? "Close all" : "Open all";
  }

  // A link to a finding opens what it lies in.
  function follow() {
    let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const target = at;
    for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  }

  tools.addEventListener("input", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.elements.order.addEventListener("change", sort);
  opener.addEventListener("click", openAll);
  window.addEventListener("hashchange", follow);
  tools.hidden = false;
  if (location.hash.length > 1) follow();
})();
