"use strict";
// The search over all samples of a run. Text of samples goes into text nodes only.
(() => {
  const FEW = 20, NUM_LISTS = 256;
  const CJK = "\\u3040-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7af";
  const WORD = new RegExp(`[${CJK}]|(?:(?![${CJK}])[\\p{L}\\p{N}])+`, "gu");
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu;
  const byId = (id) => document.getElementById(id);
  const waiting = new Map(), held = new Map();
  const num = (value) => Number(value).toLocaleString("en-US");

  function unloadable(name) {
    return location.protocol === "file:"
      ? `search/${name}.js cannot be loaded: the folder search/ must lie beside this page. Copy both, or write them again by nemo-sdg report RUN --search.`
      : `search/${name}.js cannot be loaded from ${location.host}: open this page from its folder on a disk (search.html beside search/), or serve the whole folder report/; nemo-sdg report --serve serves the report alone.`;
  }

  window.nemo = async (name, packed) => {
    const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
    const call = waiting.get(name);
    if (!call) return;
    try {
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      call.resolve(JSON.parse(await new Response(stream).text()));
    } catch (error) {
      call.reject(new Error(typeof DecompressionStream === "undefined" ? "this browser is too old: it has no DecompressionStream" : `search/${name}.js is damaged (${error.message}); write it again by nemo-sdg report RUN --search`));
    }
  };

  function load(name) {
    if (held.has(name)) return held.get(name);
    const promise = new Promise((resolve, reject) => {
      waiting.set(name, { resolve, reject });
      const script = document.createElement("script");
      script.src = `search/${name}.js`;
      script.onload = () => script.remove();
      script.onerror = () => { script.remove(); held.delete(name); reject(new Error(unloadable(name))); };
      document.head.append(script);
    });
    held.set(name, promise);
    if (held.size > 40) held.delete(held.keys().next().value);
    return promise;
  }

  function listOf(word) {
    let value = 0;
    for (let place = 0; place < word.length; place++) value = (31 * value + (word.charCodeAt(place) & 255)) & 65535;
    return value % NUM_LISTS;
  }

  function make(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children.filter((child) => child !== null));
    return node;
  }
  const seen = (text) => String(text).replace(HIDDEN, (char) => `[U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

  function text(value, wanted, className = "") {
    const node = make("p", "text " + className);
    node.dir = "auto";
    const plain = seen(value), lower = plain.toLowerCase();
    let from = 0;
    if (lower.length === plain.length) {
      for (const match of lower.matchAll(WORD)) {
        if (!wanted.has(match[0])) continue;
        node.append(plain.slice(from, match.index), make("mark", "", plain.slice(match.index, match.index + match[0].length)));
        from = match.index + match[0].length;
      }
    }
    node.append(plain.slice(from));
    return node;
  }

  function card(row, wanted) {
    const votes = row.agree[1] ? `${row.agree[0]} of ${row.agree[1]} votes` : "";
    const tags = [row.task, row.kind, row.origin, votes, row.id].filter(Boolean).map((tag) => make("span", "tag", seen(tag)));
    const node = make("article", "read", make("p", "tags", ...tags), row.passage ? text(row.passage, wanted, "faint") : null, text(row.question, wanted, "asked"));
    if (row.choices.length) {
      const list = make("ol", "choices");
      for (const choice of row.choices) list.append(make("li", choice === row.answer ? "right" : "", text(choice, wanted)));
      node.append(list);
    }
    if (!row.choices.includes(row.answer)) node.append(make("b", "", "Answer"), text(row.answer, wanted, "right"));
    for (const name of ["context", "reasoning"]) if (row[name]) node.append(text(row[name], wanted, "told"));
    return node;
  }

  let turn = 0, more = null;
  async function search() {
    const mine = ++turn;
    const words = [...new Set(byId("words").value.toLowerCase().match(WORD) || [])];
    byId("results").replaceChildren();
    byId("more").hidden = true;
    if (!words.length) { byId("told").textContent = `${num(about.samples)} ${about.step} samples; type words that stand in them.`; return; }
    byId("told").textContent = "Searching …";
    let candidates = null;
    for (const word of words) {
      const list = await load(`terms-${listOf(word).toString(16).padStart(2, "0")}`);
      const found = Object.hasOwn(list, word) ? list[word] : [];
      const all = new Set(found);
      candidates = candidates === null ? found : candidates.filter((shard) => all.has(shard));
    }
    if (mine !== turn) return;
    const wanted = new Set(words);
    let place = 0, shown = 0;
    more = async () => {
      const until = shown + FEW;
      byId("more").hidden = true;
      while (place < candidates.length && shown < until) {
        const rows = await load(`shard-${String(candidates[place]).padStart(5, "0")}`);
        if (mine !== turn) return;
        place += 1;
        for (const row of rows) {
          const own = new Set([row.id, row.task, row.question, row.passage, row.answer, row.context, row.reasoning, ...row.choices].join("\n").toLowerCase().match(WORD) || []);
          if (!words.every((word) => own.has(word))) continue;
          byId("results").append(card(row, wanted));
          shown += 1;
        }
        byId("told").textContent = `${num(shown)} found, ${num(place)} of ${num(candidates.length)} files with all words read`;
      }
      if (!shown && place >= candidates.length) byId("told").textContent = "Nothing has all of these words in one sample.";
      byId("more").hidden = place >= candidates.length;
      document.documentElement.dataset.found = String(shown);
    };
    await more();
  }

  let about = null, pause = 0;
  const tell = (error) => { byId("told").textContent = error.message; };
  const start = () => { if (about) search().catch(tell); };
  byId("more").addEventListener("click", () => more().catch(tell));
  byId("form").addEventListener("submit", (event) => { event.preventDefault(); start(); });
  byId("words").addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(start, 300); });
  load("about").then((found) => { about = found; document.documentElement.dataset.ready = "true"; return search(); }).catch(tell);
})();
