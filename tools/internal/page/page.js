"use strict";
(() => {
  const search = document.getElementById("search"), shown = document.getElementById("shown");
  const body = document.querySelector("#table tbody"), rows = [...body.rows];
  const texts = rows.map(r => (r.cells[1].textContent + " " + r.cells[5].textContent).toLowerCase());
  const radios = [...document.querySelectorAll("input[name=show]")];

  function filter() {
    const show = radios.find(r => r.checked).value, words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, i) => {
      const fits = (show === "all" || (show === "ran" ? !row.classList.contains("cached") : row.classList.contains(show))) &&
        words.every(w => texts[i].includes(w));
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = count + (count === 1 ? " test" : " tests");
    const hash = new URLSearchParams();
    if (show !== "all") hash.set("show", show);
    if (search.value) hash.set("search", search.value);
    if (hash.size || location.hash.includes("=")) history.replaceState(null, "", "#" + hash);
  }

  function choose(value) {
    radios.find(r => r.value === value).checked = true;
    filter();
  }

  search.addEventListener("input", filter);
  radios.forEach(r => r.addEventListener("change", filter));

  document.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
    const column = +button.dataset.sort, head = button.closest("th");
    const down = head.getAttribute("aria-sort") !== "descending";
    document.querySelectorAll("th").forEach(h => h.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => { const c = row.cells[column]; return c.dataset.v === undefined ? c.textContent : +c.dataset.v; };
    rows.map(r => [key(r), r])
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1))
      .forEach(([, r]) => body.append(r));
  }));

  document.querySelectorAll(".copy").forEach(button => button.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = "copied"; }
    catch { getSelection().selectAllChildren(button.previousElementSibling); button.textContent = "selected"; }
  }));

  const failures = [...document.querySelectorAll(".failure")];
  let at = -1;
  function go(step) {
    if (!failures.length) return;
    at = Math.max(0, Math.min(failures.length - 1, at + step));
    failures[at].open = true;
    failures[at].focus();
    failures[at].scrollIntoView({ block: "start" });
  }

  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === search) { if (e.key === "Escape") { search.value = ""; filter(); search.blur(); } return; }
    const action = { "/": () => search.focus(), f: () => choose("failed"), a: () => choose("all"), j: () => go(1), k: () => go(-1) }[e.key];
    if (action) { e.preventDefault(); action(); }
  });

  // A link to a filtered report: report.html#show=failed&search=view
  if (location.hash.includes("=")) {
    const hash = new URLSearchParams(location.hash.slice(1));
    search.value = hash.get("search") || "";
    choose(radios.some(r => r.value === hash.get("show")) ? hash.get("show") : "all");
  }
  document.documentElement.dataset.ready = "true";
})();
