// Puts the secret of a sign-in link, which stands in the fragment and is sent nowhere, into the form; off the address.

const code = document.getElementById("code");
const secret = location.hash.slice(1);
if (/^[A-Za-z2-7-]{1,64}$/.test(secret)) {
  code.value = secret;
  (document.querySelector("input:not([type=hidden]):not(#code)") ?? document.querySelector("button.main")).focus();
}
if (location.hash) history.replaceState(null, "", location.pathname);
