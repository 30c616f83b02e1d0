// A chat button for any page: <script src="https://SERVER/widget.js" data-language="de" async></script>
// Everything lives in a shadow root. Whatever comes from the server is set as text, never as markup.
(() => {
  "use strict";

  const script = document.currentScript || document.querySelector('script[src*="widget.js"]');
  if (!script || document.querySelector("citycite-widget")) return;
  const set = script.dataset;
  const server = (set.server || script.src.replace(/\/widget\.js(?:[?#].*)?$/, "")).replace(/\/+$/, "");

  const TEXTS = {
    de: {
      open: "Frage stellen", close: "Schließen", title: "Fragen an die Stadt", question: "Ihre Frage",
      ask: "Fragen", stop: "Anhalten", sources: "Quellen", page: "S.", tab: "öffnet in einem neuen Tab",
      you: "Sie fragen", reply: "Antwort", searching: "Die Dokumente werden durchsucht …",
      found: "Belege gefunden, die Antwort wird geprüft …", stopped: "Angehalten.",
      hello: "Was möchten Sie wissen? Jede Antwort kommt mit ihrem Beleg.",
      notice: "Hier antwortet ein automatisches System, kein Mensch. Bitte prüfen Sie den Beleg.",
      long: "Bitte stellen Sie eine kürzere Frage.", busy: "Gerade wird sehr viel gefragt. Bitte in einer Minute noch einmal.",
      failed: "Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal.",
    },
    en: {
      open: "Ask a question", close: "Close", title: "Ask the city", question: "Your question",
      ask: "Ask", stop: "Stop", sources: "Sources", page: "p.", tab: "opens in a new tab",
      you: "You ask", reply: "Answer", searching: "Searching the documents …",
      found: "Evidence found, checking the answer …", stopped: "Stopped.",
      hello: "What would you like to know? Every answer comes with its source.",
      notice: "An automated system answers here, not a person. Please check the source.",
      long: "Please ask a shorter question.", busy: "Very much is being asked just now. Please try again in a minute.",
      failed: "That did not work. Please try again later.",
    },
    pl: {
      open: "Zadaj pytanie", close: "Zamknij", title: "Pytania do miasta", question: "Państwa pytanie",
      ask: "Zapytaj", stop: "Zatrzymaj", sources: "Źródła", page: "s.", tab: "otwiera się w nowej karcie",
      you: "Pytanie", reply: "Odpowiedź", searching: "Trwa przeszukiwanie dokumentów …",
      found: "Znaleziono źródła, trwa sprawdzanie odpowiedzi …", stopped: "Zatrzymano.",
      hello: "Czego chcą się Państwo dowiedzieć? Każda odpowiedź ma źródło.",
      notice: "Odpowiada automatyczny system, nie człowiek. Prosimy sprawdzić źródło.",
      long: "Prosimy zadać krótsze pytanie.", busy: "Obecnie jest bardzo dużo pytań. Prosimy spróbować za minutę.",
      failed: "Nie udało się. Prosimy spróbować później.",
    },
  };
  const wanted = [set.language, document.documentElement.lang, ...(navigator.languages || [navigator.language])];
  const language = wanted.map((tag) => (tag || "").slice(0, 2).toLowerCase()).find((tag) => tag in TEXTS) || "en";
  const say = TEXTS[language];
  const MOST = 2000; // characters of a question
  const REMEMBERED = 50; // earlier questions that a follow-up is understood from

  const STYLE = `
    :host { all: initial; --_colour: var(--citycite-colour, #1b5070); --_on-colour: var(--citycite-on-colour, #fff);
      --_paper: var(--citycite-paper, #fff); --_ink: var(--citycite-ink, #1e2931); --_muted: var(--citycite-muted, #56616a);
      --_line: var(--citycite-line, #85807a); --_quote: var(--citycite-quote, #f6f4ee); --_error: var(--citycite-error, #8f2a26);
      --_radius: var(--citycite-radius, 12px);
      font: var(--citycite-font, 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif);
      color: var(--_ink); position: fixed; z-index: var(--citycite-z-index, 2147483000);
      bottom: var(--citycite-bottom, 1rem); right: var(--citycite-side, 1rem); }
    :host([data-position="left"]) { right: auto; left: var(--citycite-side, 1rem); }
    :host([data-theme="dark"]) { --_colour: var(--citycite-colour, #8cc6e4); --_on-colour: var(--citycite-on-colour, #0b1c27);
      --_paper: var(--citycite-paper, #1b2228); --_ink: var(--citycite-ink, #e9e6df); --_muted: var(--citycite-muted, #a8b3bb);
      --_line: var(--citycite-line, #74818b); --_quote: var(--citycite-quote, #13181c); --_error: var(--citycite-error, #f5aaa5); }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button, textarea { font: inherit; color: inherit; }
    button { cursor: pointer; min-height: 44px; border: 1px solid transparent; border-radius: 8px; padding: .4rem .9rem;
      background: var(--_colour); color: var(--_on-colour); font-weight: 600; }
    .launch { border-radius: 999px; padding: .6rem 1.2rem; box-shadow: 0 2px 10px rgb(0 0 0 / .3); }
    :focus-visible { outline: 3px solid var(--_colour); outline-offset: 2px; }
    .launch:focus-visible, form button:focus-visible { box-shadow: 0 0 0 2px var(--_paper); }
    .panel { display: flex; flex-direction: column; width: min(25rem, calc(100vw - 2rem)); height: min(38rem, calc(100dvh - 2rem));
      background: var(--_paper); border: 1px solid var(--_line); border-radius: var(--_radius); overflow: hidden;
      box-shadow: 0 6px 30px rgb(0 0 0 / .25); }
    header { display: flex; align-items: center; justify-content: space-between; gap: .5rem; padding: .4rem .4rem .4rem 1rem;
      background: var(--_colour); color: var(--_on-colour); }
    h2 { margin: 0; font: inherit; font-weight: 700; overflow-wrap: anywhere; }
    header button { min-width: 44px; padding: .2rem; font-size: 1.4rem; line-height: 1; }
    header button:focus-visible { outline-color: var(--_on-colour); outline-offset: -4px; }
    .log { flex: 1; overflow-y: auto; padding: 1rem; overflow-wrap: anywhere; }
    .log p { margin: 0 0 .75rem; }
    .asked { margin-left: 2rem !important; padding: .5rem .8rem; border-radius: 10px; background: var(--_quote); white-space: pre-wrap; }
    .answer { white-space: pre-wrap; }
    .note { color: var(--_muted); font-size: .875em; }
    .error { color: var(--_error); }
    h3 { margin: 0 0 .3rem; font: inherit; font-size: .875em; font-weight: 700; }
    ol { margin: 0 0 1.25rem; padding: 0; list-style: none; font-size: .875em; }
    li { margin: 0 0 .6rem; }
    a { color: var(--citycite-link, var(--_colour)); }
    blockquote { margin: .2rem 0 0; padding: .3rem .7rem; border-left: 3px solid var(--_colour); background: var(--_quote);
      white-space: pre-wrap; }
    form { display: flex; gap: .5rem; align-items: flex-end; padding: .75rem; border-top: 1px solid var(--_line); }
    textarea { flex: 1; min-width: 0; min-height: 44px; max-height: 8rem; resize: none; padding: .5rem .7rem; border: 1px solid var(--_line);
      border-radius: 8px; background: var(--_paper); }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 30rem) { .panel { position: fixed; inset: 0; width: auto; height: auto; border: 0; border-radius: 0; } }
    @media (forced-colors: active) { button, .panel, blockquote { border: 1px solid; } }
  `;

  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children); // strings become text nodes
    return element;
  }

  const host = make("citycite-widget", { lang: language });
  if (set.position === "left") host.dataset.position = "left";
  const dark = set.theme === "dark" || (set.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  if (dark) host.dataset.theme = "dark";
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // not an inline style, which the page's own policy may forbid
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const launch = make("button", { class: "launch", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" }, set.label || say.open);
  const shut = make("button", { type: "button", "aria-label": say.close }, "×");
  const log = make("div", { class: "log", role: "log", "aria-label": say.reply, tabindex: "0" }, make("p", {}, set.welcome || say.hello), make("p", { class: "note" }, say.notice));
  const status = make("p", { class: "unseen", role: "status" });
  const field = make("textarea", { id: "question", rows: "1", maxlength: String(MOST), autocomplete: "off", enterkeyhint: "send" });
  const send = make("button", { type: "submit" }, say.ask);
  const form = make("form", {}, make("label", { class: "unseen", for: "question" }, say.question), field, send);
  const panel = make("div", { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: "" },
    make("header", {}, make("h2", { id: "title" }, set.title || say.title), shut), log, status, form);
  field.placeholder = say.question;
  root.append(panel, launch);

  const asked = [];
  let running = null;

  function show(open) {
    panel.hidden = !open;
    launch.hidden = open;
    launch.setAttribute("aria-expanded", String(open));
    (open ? field : launch).focus();
  }

  function filters() {
    const chosen = {};
    for (const name of ["since", "until", "source", "type", "department"]) if (set[name]) chosen[name] = set[name];
    return chosen;
  }

  function address(citation) {
    const query = new URLSearchParams({ start: citation.start, end: citation.end, lang: language });
    return `${server}/documents/${encodeURIComponent(citation.document_id)}?${query}#quote`;
  }

  function link(citation, text, label) {
    return make("a", { href: address(citation), target: "_blank", rel: "noopener", "aria-label": `${label} (${say.tab})` }, text);
  }

  function dated(iso) {
    const full = /^\d{4}-\d\d-\d\d$/.test(iso || "");
    return full ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(iso)) : iso || "";
  }

  function cited(citation) {
    const facts = [citation.page === null ? "" : `${say.page} ${citation.page}`, dated(citation.published)].filter(Boolean);
    const place = [citation.title, ...facts].join(", ");
    return make("li", {}, `[${citation.marker}] `, link(citation, place, place), make("blockquote", {}, citation.quote));
  }

  // The marks of an answer become links; all between them stays text.
  function linked(text, citations) {
    return text.split(/(\[\d+\])/).map((part) => {
      const citation = citations.find((item) => part === `[${item.marker}]`);
      return citation ? link(citation, part, `${say.sources} ${citation.marker}: ${citation.title}`) : part;
    });
  }

  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const name = /^event: (.+)$/m.exec(block);
        const data = /^data: (.+)$/m.exec(block);
        if (name && data) yield [name[1], JSON.parse(data[1])];
      }
    }
  }

  function problem(status) {
    return status === 413 || status === 422 ? say.long : status === 429 ? say.busy : say.failed;
  }

  async function request(question, signal) {
    const headers = { "Content-Type": "application/json" };
    if (set.token) headers.Authorization = `Bearer ${set.token}`;
    const body = JSON.stringify({ question, history: asked.slice(-REMEMBERED), filters: filters() });
    // No cookies: what a visitor may see here must not depend on what else is open in the browser.
    return fetch(`${server}/api/v1/ask/stream`, { method: "POST", headers, body, signal, credentials: "omit", referrerPolicy: "no-referrer" });
  }

  async function answer(question, turn, signal) {
    const response = await request(question, signal);
    if (!response.ok) return problem(response.status);
    const reply = make("p", { class: "answer" });
    for await (const [name, data] of events(response)) {
      if (name === "retrieved") status.textContent = turn.wait.textContent = say.found;
      if (name === "sentence") {
        turn.wait.remove();
        if (!reply.isConnected) turn.box.append(reply);
        reply.append(data.text);
      }
      if (name === "error") {
        reply.remove();
        return problem(data.status);
      }
      if (name === "answer") {
        reply.lang = data.language;
        reply.replaceChildren(...linked(data.answer, data.citations));
        if (data.citations.length) turn.box.append(make("h3", {}, say.sources), make("ol", {}, ...data.citations.map(cited)));
        asked.push(question);
        return "";
      }
    }
    return say.failed; // the stream ended early
  }

  async function ask(question) {
    const turn = { box: make("div", { "aria-busy": "true" }), wait: make("p", { class: "note" }, say.searching) };
    turn.box.append(make("p", { class: "asked" }, make("span", { class: "unseen" }, `${say.you}: `), question), turn.wait);
    log.append(turn.box);
    log.scrollTop = log.scrollHeight;
    status.textContent = say.searching;
    send.textContent = say.stop;
    running = new AbortController();
    let wrong;
    try {
      wrong = await answer(question, turn, running.signal);
    } catch (error) {
      wrong = error.name === "AbortError" ? say.stopped : say.failed;
    }
    running = null;
    turn.wait.remove();
    send.textContent = say.ask;
    status.textContent = "";
    if (wrong) turn.box.append(make("p", { class: wrong === say.stopped ? "note" : "error" }, wrong));
    turn.box.removeAttribute("aria-busy"); // now a screen reader reads the whole of it
    log.scrollTop += turn.box.getBoundingClientRect().top - log.getBoundingClientRect().top - 8;
  }

  function submit(event) {
    event.preventDefault();
    if (running) {
      running.abort();
      return;
    }
    const question = field.value.trim();
    if (!question) return;
    field.value = "";
    ask(question);
  }

  launch.addEventListener("click", () => show(true));
  shut.addEventListener("click", () => show(false));
  form.addEventListener("submit", submit);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!running) form.requestSubmit();
    }
  });
  root.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the page's shortcuts are not meant by what is typed here
    if (event.key === "Escape" && !panel.hidden) show(false);
  });
  addEventListener("pagehide", () => running && running.abort());

  const place = () => document.body.append(host);
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);
})();
