"use strict";
// The funnel and the browser of records. Text of records goes into text nodes only.
(async () => {
  const PAGE = 25;
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/u;
  const byId = (id) => document.getElementById(id);

  function make(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  // Text in which characters that change its direction or are invisible are shown by their numbers.
  function words(text) {
    const fragment = document.createDocumentFragment();
    let plain = "";
    for (const char of String(text ?? "")) {
      if (!HIDDEN.test(char)) { plain += char; continue; }
      fragment.append(plain, make("span", "char", "U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")));
      plain = "";
    }
    fragment.append(plain);
    return fragment;
  }

  function block(text, className = "") {
    const node = make("div", "text " + className, words(text));
    node.dir = "auto";
    return node;
  }

  const labelled = (label, node) => [make("div", "label", label), node];
  const num = (value) => Number(value).toLocaleString("en-US");

  // Data
  const bytes = Uint8Array.from(atob(byId("data").textContent), (char) => char.charCodeAt(0));
  const data = JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
  byId("data").remove();
  const records = data.records;
  for (const record of records) {
    const [agree, cast] = record.agree || [];
    record.share = cast > 0 && agree !== null && agree !== undefined ? (100 * agree) / cast : null;
  }

  // Funnel
  function option(select, value, text) {
    const node = make("option", "", words(text));
    node.value = value;
    select.append(node);
  }
  const families = [...new Set(data.funnel.map((row) => row[0]))].sort();
  const scope = byId("scope");
  option(scope, "all", "the whole run");
  for (const family of families) {
    const group = document.createElement("optgroup");
    group.label = family;
    option(group, "family:" + family, "all of " + family);
    for (const task of [...new Set(data.funnel.filter((row) => row[0] === family && row[1] !== null).map((row) => row[1]))].sort()) option(group, "task:" + task, task);
    scope.append(group);
  }

  function totals(chosen) {
    const steps = {};
    for (const [family, task, step, taken, kept, dropped, rest] of data.funnel) {
      if (chosen !== "all" && chosen !== "family:" + family && chosen !== "task:" + task) continue;
      const sum = (steps[step] ||= { taken: 0, kept: 0, dropped: {}, rest: 0 });
      sum.taken += taken; sum.kept += kept; sum.rest += rest;
      for (const [reason, count] of Object.entries(dropped)) sum.dropped[reason] = (sum.dropped[reason] || 0) + count;
    }
    return steps;
  }

  function drawBar(value, largest, className) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 1000 10");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    for (const [width, name] of [[1000, "track"], [value > 0 ? Math.max(3, (1000 * value) / largest) : 0, className]]) {
      const rect = document.createElementNS(space, "rect");
      rect.setAttribute("width", width.toFixed(1));
      rect.setAttribute("height", "10");
      rect.setAttribute("class", name);
      svg.append(rect);
    }
    return svg;
  }

  function bar(what, value, largest, taken, className, onClick) {
    const share = taken > 0 ? ` (${((100 * value) / taken).toFixed(value === taken ? 0 : 1)}%)` : "";
    const node = make(onClick ? "button" : "div", "bar", make("span", "what", words(what)), drawBar(value, largest, className), make("span", "num", num(value) + share));
    if (onClick) { node.type = "button"; node.addEventListener("click", onClick); }
    return node;
  }

  function drawFunnel() {
    const chosen = scope.value, steps = totals(chosen), place = byId("bars");
    place.replaceChildren();
    const largest = Math.max(1, ...Object.entries(steps).filter(([step]) => step !== "catalog").map(([, sum]) => sum.taken));
    for (const step of data.steps) {
      const sum = steps[step];
      if (!sum) continue;
      const scale = step === "catalog" ? Math.max(1, sum.taken) : largest, unit = data.units[step];
      const name = make("div", "name", make("b", "", step), make("span", "", `${num(sum.taken)} ${unit} in` + (sum.rest ? `, ${num(sum.rest)} more not sampled` : "")));
      const bars = make("div", "", bar("kept", sum.kept, scale, sum.taken, "kept", step === data.samples_step ? () => browse({ outcome: "kept", chosen }) : null));
      for (const [reason, count] of Object.entries(sum.dropped).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
        const node = bar(reason, count, scale, sum.taken, "dropped", () => browse({ outcome: step + ":" + reason, chosen }));
        node.dataset.reason = step + ":" + reason;
        node.append(make("span", "unseen", ` ${unit} dropped in ${step}; show examples`));
        bars.append(node);
      }
      place.append(make("div", "step", name, bars));
    }
  }
  scope.addEventListener("change", drawFunnel);
  drawFunnel();

  // Browser
  const everywhere = totals("all");
  const outcomeOf = (record) => (record.reason ? record.step + ":" + record.reason : "kept");
  function fill(id, first, pairs) {
    option(byId(id), "", first);
    for (const [value, text] of pairs) option(byId(id), value, text);
  }
  const held = new Map();
  for (const record of records) held.set(outcomeOf(record), (held.get(outcomeOf(record)) || 0) + 1);
  fill("outcome", "all", [...held].map(([value, count]) => {
    if (value === "kept") return [value, `kept (${num(count)})`];
    const [step, reason] = [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)];
    return [value, `${step}: ${reason} (${num(count)} of ${num((everywhere[step] || { dropped: {} }).dropped[reason] || count)})`];
  }));
  fill("task", "all", [...new Set(records.map((record) => record.task))].sort().map((task) => [task, task]));
  fill("kind", "all", [...new Set(records.map((record) => record.kind).filter(Boolean))].sort().map((kind) => [kind, kind]));

  let family = "", matches = [], shown = 0;
  const haystacks = new Map();
  function haystack(record) {
    if (!haystacks.has(record)) {
      const texts = [];
      JSON.stringify(record, (key, value) => { if (typeof value === "string") texts.push(value); return value; });
      haystacks.set(record, texts.join("\n").toLowerCase());
    }
    return haystacks.get(record);
  }

  function filter() {
    const outcome = byId("outcome").value, task = byId("task").value, kind = byId("kind").value, agreement = byId("agreement").value;
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [low, high] = agreement.includes("-") ? agreement.split("-").map(Number) : [0, 0];
    matches = records.filter((record) =>
      (!outcome || outcomeOf(record) === outcome) && (!task || record.task === task) && (!kind || record.kind === kind) && (!family || record.family === family)
      && (!agreement || (agreement === "none" ? record.share === null : record.share !== null && record.share >= low && record.share < high))
      && wanted.every((word) => haystack(record).includes(word)));
    shown = 0;
    byId("records").replaceChildren();
    byId("found").replaceChildren(words(`${num(matches.length)} of ${num(records.length)} on this page` + (family ? `, family ${family}` : "")));
    showMore();
  }

  function showMore() {
    for (const record of matches.slice(shown, shown + PAGE)) byId("records").append(card(record));
    shown = Math.min(matches.length, shown + PAGE);
    byId("more").hidden = shown >= matches.length;
  }
  byId("more").addEventListener("click", showMore);

  function clear() {
    family = "";
    for (const id of ["outcome", "task", "kind", "agreement", "search"]) byId(id).value = "";
  }

  function browse({ outcome, chosen }) {
    clear();
    family = chosen.startsWith("family:") ? chosen.slice(7) : "";
    byId("outcome").value = outcome;
    byId("task").value = chosen.startsWith("task:") ? chosen.slice(5) : "";
    filter();
    if (!matches.length) {
      const hint = `No example of ${outcome} in this choice is on the page; all of them are in the folder dropped/ of their step. Examples of other tasks:`;
      family = "";
      byId("task").value = "";
      filter();
      byId("found").replaceChildren(words(hint));
    }
    byId("samples").scrollIntoView();
    const first = byId("records").querySelector("details");
    if (first) { first.open = true; first.querySelector("summary").focus({ preventScroll: true }); }
  }

  let waiting = 0;
  byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 150); });
  for (const id of ["outcome", "task", "kind", "agreement"]) byId(id).addEventListener("change", () => { family = ""; filter(); });
  byId("filters").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  byId("clear").addEventListener("click", () => { clear(); filter(); });

  // One record
  function card(record) {
    const title = record.sample?.question || record.evaluation?.question || record.seeds[0]?.question || record.detail || record.id;
    const question = make("span", "q", words(title.slice(0, 160)));
    question.dir = "auto";
    const tag = record.reason ? make("span", "tag dropped", words(`${record.step}: ${record.reason}`)) : make("span", "tag kept", "kept");
    const guided = record.guidance === "guided";
    const told = (record.share === null ? "" : `${record.agree[0]} of ${record.agree[1]} votes`) + (guided ? `${record.share === null ? "" : ", then "}written with the gold in sight` : "");
    const share = told ? make("span", "tag", told) : null;
    const node = make("details", "record", make("summary", "", tag, make("span", "tag", words(record.task)), record.kind ? make("span", "tag", words(record.kind)) : null, share, question));
    node.addEventListener("toggle", () => { if (node.open && node.childElementCount === 1) node.append(inside(record)); });
    return node;
  }

  function facts(pairs) {
    const list = make("dl", "facts");
    for (const [name, value] of pairs) if (value !== "" && value !== null && value !== undefined) list.append(make("dt", "", name), make("dd", "", words(value)));
    return list;
  }

  function content(title, part, extra) {
    const node = make("div", "card", make("h3", "", title));
    if (part.passage) node.append(...labelled("passage", block(part.passage)));
    if (part.question) node.append(...labelled("question", block(part.question)));
    if (part.choices?.length) {
      const list = make("ol", "choices");
      for (const choice of part.choices) {
        const item = make("li", choice === part.answer ? "right" : "", words(choice));
        item.dir = "auto";
        list.append(item);
      }
      node.append(...labelled("options", list));
    }
    if (part.tests?.length) node.append(...labelled("tests", block(part.tests.join("\n"), "mono")));
    if (part.answer) node.append(...labelled("answer", block(part.answer, part.tests?.length ? "right mono" : "right")));
    if (part.context) node.append(...labelled("context", block(part.context)));
    if (part.reasoning) node.append(...labelled("reasoning", block(part.reasoning)));
    node.append(facts(extra || []));
    return node;
  }

  function fold(title, ...children) {
    return make("details", "", make("summary", "", words(title)), ...children);
  }

  function votes(record) {
    const rows = record.votes.map((vote) => make("tr", "",
      make("th", "", words(`${vote.index} ${vote.guidance}`)), make("td", "", words([vote.label, vote.answer].filter(Boolean).join(". ") || "none")),
      make("td", "", words([vote.error, vote.detail].filter(Boolean).join(": "))), make("td", "", words(vote.context)), make("td", "", words(vote.reasoning))));
    const head = make("tr", "", ...["vote", "answer", "error", "context", "reasoning"].map((name) => make("th", "", name)));
    return make("div", "scroll", make("table", "", make("thead", "", head), make("tbody", "", ...rows)));
  }

  function call(request) {
    const tokens = request.tokens ? `, ${num(request.tokens[0])} prompt tokens, ${num(request.tokens[1])} output tokens` : "";
    const prompt = (request.prompt || []).map(([role, text]) => make("div", "", ...labelled(role, block(text, "mono"))));
    return make("div", "card", make("h3", "", words(`${request.name} (${request.finish}${tokens})`)),
      prompt.length ? fold("prompt", ...prompt) : null, ...labelled("raw output", block(request.output, "mono")));
  }

  function inside(record) {
    const node = make("div", "inside");
    const [verdict, method, detail] = record.verdict || [];
    const tally = (record.tally || []).map(([answer, count]) => `${answer}: ${count}`).join("; ");
    node.append(facts([["dropped for", record.reason && `${record.reason} (step ${record.step})`], ["detail", record.detail]]));
    const pair = make("div", "pair");
    for (const seed of record.seeds) pair.append(content("Seed", seed, [["row", seed.row], ["licence", seed.license]]));
    if (record.sample) pair.append(content("Sample", record.sample));
    if (record.evaluation) pair.append(content("Evaluation row", record.evaluation, [["row", record.evaluation.row]]));
    node.append(pair);
    if (record.raw) node.append(...labelled("record", block(record.raw, "mono")));
    if (record.votes?.length) node.append(fold(`${record.votes.length} votes as parsed`, votes(record)));
    if (record.calls?.length) node.append(fold("prompts and raw outputs", ...record.calls.map(call)));
    else if (record.sample && record.votes?.length) node.append(make("p", "hint", "The journal does not hold this record's prompts and outputs, or the prompts were changed since."));
    if (record.texts) {
      const texts = make("div", "pair");
      for (const [variant, parts] of Object.entries(record.texts)) {
        const text = make("div", "text");
        text.dir = "auto";
        parts.forEach((part, place) => { if (part) text.append(place === 1 ? make("mark", "", words(part)) : words(part)); });
        texts.append(make("div", "card", make("h3", "", `Training text, ${variant}`), text));
      }
      node.append(texts);
    }
    node.append(facts([
      ["id", record.id], ["task", record.task], ["family", record.family],
      ["kind", [record.kind, record.frame].filter(Boolean).join(", ")], ["language", record.language], ["origin", record.origin], ["licence", record.license], ["model", record.model],
      ["verdict", [verdict, method, detail].filter(Boolean).join(", ")], ["votes", tally], ["difficulty", record.difficulty?.toFixed?.(2)], ["guidance", record.guidance],
    ]));
    return node;
  }

  filter();
  document.documentElement.dataset.ready = "true";
})();
