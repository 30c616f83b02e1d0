// Says when the server is away and when it is back. Gradio's own notice is in English and hidden. Gradio does nothing more
// after a break until the page is loaded anew, so that is done as soon as the server answers, and before the page says
// that it is back: conversations.js then hands the conversation back, and this script what was in the box.
(() => {
  "use strict";
  const SOON = 2000; // while the server is away
  const CALM = 15000; // otherwise: one small request, and none from a page that nobody sees
  const CURRENT = "citycite.current"; // the conversation of this tab, as conversations.js keeps it
  const DRAFT = "citycite.draft"; // of this tab, from one loading of the page to the next
  const find = (selector) => document.querySelector(selector);
  const write = (content) => {
    const box = find("#question textarea");
    box.value = content;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const state = { is: "", asked: "", shaken: false }; // shaken: Gradio has given notice, and nothing was answered since
  let timer = null;

  const draw = () => {
    const line = find("#connection");
    if (!line) return;
    const words = state.is ? line.querySelector(`.words .${state.is}`).textContent : "";
    const said = line.querySelector(".said");
    if (said.textContent !== words) said.textContent = words;
    if (line.className !== state.is) line.className = state.is;
  };

  const isAlive = async () => {
    try {
      return (await fetch("healthz", { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
    } catch {
      return false;
    }
  };

  // Behind a proxy, another replica may answer by now; what was asked of the one before is gone with it.
  const isOurs = async () => {
    try {
      const reply = await fetch("gradio_api/app_id", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      return (await reply.json()).app_id === window.gradio_config.app_id;
    } catch {
      return true;
    }
  };

  const become = (next) => {
    if (state.is === next) return;
    state.is = next;
    draw();
    if (next === "lost") rescue();
  };

  // A question that was under way when the server went is put back into the box, from where it can be sent again.
  const rescue = () => {
    const box = find("#question textarea");
    if (box && !box.value && find(".card.searching, .card.growing")) write(state.asked);
  };

  // Gradio may be the first to load the page anew.
  addEventListener("pagehide", () => {
    if (state.shaken) rescue();
    if (state.shaken || ["lost", "back"].includes(state.is)) sessionStorage.setItem(DRAFT, find("#question textarea")?.value ?? "");
  });
  const greet = () => {
    if (sessionStorage.getItem(DRAFT) === null || !find("#language label.selected")) return;
    if (sessionStorage.getItem(CURRENT) && !find("#conversation .bot-row .card")) return; // it is still being handed back
    const draft = sessionStorage.getItem(DRAFT);
    sessionStorage.removeItem(DRAFT);
    if (draft && !find("#question textarea").value) write(draft);
    become("back");
  };

  let looking = null;
  const look = () => {
    looking ??= check().finally(() => { looking = null; });
    return looking;
  };
  const check = async () => {
    clearTimeout(timer);
    const alive = await isAlive();
    if (!alive) become("lost");
    else if (state.is === "lost") location.reload();
    timer = setTimeout(() => (document.hidden ? null : look()), alive ? CALM : SOON);
    return alive;
  };

  // A reply shows that all is well; Gradio's notice shows that it is not, and the server itself, which of the two it is.
  let replies = 0;
  let notices = 0;
  new MutationObserver(async () => {
    greet();
    draw();
    const answered = document.querySelectorAll("#conversation .card:is(.answered, .abstained, .failed)").length;
    if (answered > replies) {
      state.shaken = false;
      if (state.is === "busy") become("");
    }
    replies = answered;
    const shown = document.querySelectorAll(".toast-body.error").length;
    const given = shown > notices;
    notices = shown;
    if (!given) return;
    state.shaken = true;
    if (!(await look())) return;
    if (await isOurs()) become("busy");
    else {
      become("lost");
      look();
    }
  }).observe(document.documentElement, { subtree: true, childList: true });

  const asking = () => {
    state.asked = find("#question textarea")?.value || state.asked;
    if (state.is === "lost") look();
    else if (state.asked) become("");
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.("#question textarea")) asking();
  }, true);
  document.addEventListener("click", (event) => { if (event.target.closest("#ask")) asking(); }, true);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  addEventListener("offline", look);
  addEventListener("online", look);
  timer = setTimeout(look, CALM);
})();
