// A key that came in the fragment (`/login#jishi_...`) is sent by the form, and taken out of the address bar first.
function enter() {
  const key = decodeURIComponent(location.hash.slice(1));
  if (!key.startsWith("jishi_")) return;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("key").value = key;
  document.getElementById("login").submit();
}
addEventListener("hashchange", enter); // pasted into a tab that shows this page already
enter();
