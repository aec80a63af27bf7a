// Asks for the page again every half minute while somebody looks, and brings what is shown up to date in place: focus,
// scrolling, what is folded open, live cells (live.js) and charts (charts.js) stay as they are.
const EVERY = 30_000;
const KEPT = "[data-live], [data-keep], .plot, noscript";
let asked = performance.now(), asking = false;

const isOurs = (element, name) => name === "data-drawn" || (name === "open" && element.localName === "details");
const isSame = (now, then) => now.nodeName === then.nodeName && now.dataset?.live === then.dataset?.live;

function become(now, then) {
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== then.nodeValue) now.nodeValue = then.nodeValue;
    return;
  }
  if (now.matches(KEPT)) return;
  for (const { name, value } of then.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  for (const { name } of [...now.attributes]) {
    if (!then.hasAttribute(name) && !isOurs(now, name)) now.removeAttribute(name);
  }
  const old = [...now.childNodes], wanted = [...then.childNodes];
  wanted.forEach((child, at) => {
    if (!old[at]) now.append(child);
    else if (isSame(old[at], child)) become(old[at], child);
    else old[at].replaceWith(child);
  });
  old.slice(wanted.length).forEach((child) => child.remove());
}

async function refresh() {
  if (document.hidden || asking || performance.now() - asked < EVERY) return;
  asking = true;
  asked = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) location.reload(); // signed out meanwhile: the way leads to the login
    else if (answer.ok) {
      const then = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.title = then.title;
      become(document.querySelector("main"), then.querySelector("main"));
      document.dispatchEvent(new Event("refreshed"));
    }
  } catch {
    // Not reached: live.js says so, and it is asked again.
  } finally {
    asking = false;
  }
}

setInterval(refresh, 1000);
document.addEventListener("visibilitychange", refresh);
