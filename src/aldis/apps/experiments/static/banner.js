// The banners of a page, above and below: `name` is their class, which has the colour that repeats what the text says.

export function setBanners(name, text) {
  for (const one of document.querySelectorAll(".banner")) {
    one.className = name;
    one.lastChild.textContent = text;
  }
}
