/** The script that a page loads: it teaches the browser the tag, once however often it is loaded. */
import { TourAvailability } from "./element";

// A browser that is too old for it leaves the tag as the site wrote it.
const able = "adoptedStyleSheets" in ShadowRoot.prototype;
if (able && customElements.get("tour-availability") === undefined) {
  customElements.define("tour-availability", TourAvailability);
}
