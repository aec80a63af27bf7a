// Draws the chart specifications that the page carries; where that fails, the picture the server draws is shown.
const vega = new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = "/static/vega.js";
  script.onload = () => resolve(window.vegaEmbed);
  script.onerror = reject;
  document.head.append(script);
});
const narrow = matchMedia("(max-width: 40rem)");
const dark = matchMedia("(prefers-color-scheme: dark)");
// Inks of the charts that a dark page would swallow or that would dazzle there, and what stands for them.
const AT_NIGHT = {
  "#57606a": "#c6d0d7", "#6e7681": "#a5b2bb", "#7a5195": "#b98fd6", "#c4c9cf": "#8d99a3", "#6b7280": "#566069",
  "#eceff2": "#2c363c", "#d0d7de": "#48545c",
};
const inked = (text) => (dark.matches ? text.replace(/#[0-9a-f]{6}/g, (ink) => AT_NIGHT[ink] ?? ink) : text);

const shown = new WeakMap(); // by figure: the text that is drawn, and what vega-embed made of it
const textOf = (figure) => inked(figure.querySelector(narrow.matches ? "script.narrow" : "script.broad").textContent);

async function draw(figure) {
  const plot = figure.querySelector(".plot");
  const text = textOf(figure), before = shown.get(figure);
  if (before?.text === text) return;
  shown.set(figure, { text });
  const embed = await vega;
  const { $schema: _, ...spec } = JSON.parse(text);
  plot.style.minHeight = `${plot.offsetHeight}px`; // nothing jumps while it is drawn anew
  before?.made?.finalize();
  const made = await embed(plot, spec, {
    mode: "vega-lite", actions: false, renderer: "svg", defaultStyle: false, tooltip: { theme: "custom" },
  });
  plot.style.minHeight = "";
  shown.set(figure, { text, made });
  figure.dataset.drawn = "yes";
}

function picture(figure) {
  const image = new Image();
  image.src = figure.dataset.picture;
  image.alt = figure.querySelector("figcaption").textContent;
  figure.querySelector(".plot").replaceChildren(image);
}

const figures = () => document.querySelectorAll("figure.chart");
const drawAll = () => figures().forEach((figure) => draw(figure).catch(() => picture(figure)));
narrow.addEventListener("change", drawAll);
dark.addEventListener("change", drawAll);
document.addEventListener("refreshed", drawAll);
drawAll();
