// Shows how many notes there are.
import { words } from "./words.js";

const place = document.getElementById("count");
if (place) {
  const feed = new EventSource(place.dataset.feed);
  feed.addEventListener("feed", async (event) => {
    const { said } = await import("./later.js");
    place.textContent = said(words(JSON.parse(event.data).notes));
  });
}
