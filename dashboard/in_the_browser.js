// Runs in the browser before Streamlit does. What Streamlit's own elements leave out is added here.

// Streamlit looks for its server below the address of the page first, which every page but the first answers with 404.
// Its files are found beside the page, and so is the server.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href };

// Where a login has ended the server answers with 401 alone: the page, loaded anew, says where to log in.
const askServer = window.fetch;
window.fetch = async (...asked) => {
  const answer = await askServer(...asked);
  if (answer.status === 401) location.reload();
  return answer;
};

// Streamlit enters an address more than once on the way to a page, and once more where the page completes it. Back leads to
// what somebody chose: the first address after a click or a key is a new entry, and what follows by itself takes its place.
(() => {
  const enter = history.pushState.bind(history);
  let chosen = false;
  ["pointerdown", "keydown"].forEach((name) => addEventListener(name, () => (chosen = true), true));
  addEventListener("popstate", () => (chosen = false));
  history.pushState = (...entry) => {
    (chosen ? enter : history.replaceState.bind(history))(...entry);
    chosen = false;
  };
})();

(() => {
  const SCROLLS = '[data-testid="stTable"] > div, [data-testid="stCode"] > pre';
  // It claims to be nothing and yet has a name.
  const NAMED = '[data-testid="stFileUploaderDropzone"][role="presentation"]';

  // A tab or a part that is opened gives what is in it a size, without any change of the page.
  const sizes = new ResizeObserver(lookSoon), sized = new WeakSet();

  // What is wider or higher than its place is reached by Tab, with a name, and scrolled by the arrow keys.
  function reachable(place) {
    if (!sized.has(place)) {
      sized.add(place);
      sizes.observe(place);
    }
    if (place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight) {
      place.tabIndex = 0;
      place.setAttribute("role", "group");
      place.setAttribute("aria-label", place.querySelector("table")?.getAttribute("aria-label") ?? "Text");
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => place.removeAttribute(name));
    }
  }

  function look() {
    document.querySelectorAll(SCROLLS).forEach(reachable);
    document.querySelectorAll(".js-plotly-plot").forEach(listen);
    document.querySelectorAll(NAMED).forEach((place) => place.setAttribute("role", "group"));
  }

  // Charts change many times a second; a look now and then is enough.
  let waiting = false;
  function lookSoon() {
    if (!waiting) {
      waiting = true;
      setTimeout(() => {
        waiting = false;
        look();
      }, 250);
    }
  }

  // A link to images opens in its place and keeps the session, as the browser's own Back does: nothing is loaded anew.
  const LEADS_TO_IMAGES = /(^|\/)images\?/;

  function follow(event) {
    const link = event.target.closest?.("a[href]");
    const otherwise = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (link && !event.defaultPrevented && !otherwise && link.origin === location.origin && LEADS_TO_IMAGES.test(link.getAttribute("href"))) {
      event.preventDefault();
      open(link.href);
    }
  }

  function open(address) {
    history.pushState({}, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }

  // What a point of a chart knows of itself ends in such an address where it counts images.
  function followPoint({ points, event }) {
    const told = points[0]?.customdata, address = Array.isArray(told) ? told.at(-1) : "";
    if (!LEADS_TO_IMAGES.test(address)) return;
    if (event.ctrlKey || event.metaKey) window.open(address, "_blank", "noopener");
    else open(address);
  }

  // Charts come and are drawn anew: each listens once, whenever it was looked at.
  function listen(chart) {
    chart.removeListener?.("plotly_click", followPoint);
    chart.on?.("plotly_click", followPoint);
  }

  addEventListener("click", follow);
  new MutationObserver(lookSoon).observe(document, { childList: true, subtree: true });
  addEventListener("resize", lookSoon);
  document.fonts.addEventListener("loadingdone", lookSoon);
})();
