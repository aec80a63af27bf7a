// A key that came in the fragment (`/login#jishi_...`) is sent by the form, and taken out of the address bar first.
const key = decodeURIComponent(location.hash.slice(1));
if (key.startsWith("jishi_")) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("key").value = key;
  document.getElementById("login").submit();
}
